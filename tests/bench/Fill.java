// SPDX-License-Identifier: Apache-2.0
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;

/** java Fill ORDERS: a heap like a service's (maps of orders with their lines and cached JSON), then out of memory at once. */
public class Fill {
    record Line(String sku, int count, long cents) {
    }

    static final class Order {
        long id;
        String customer;
        Date made;
        List<Line> lines = new ArrayList<>();
        byte[] json;
    }

    static final String[] WORDS = ("alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november "
            + "oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu").split(" ");
    static final Map<String, Order> CACHE = new HashMap<>();

    static Order order(long id, Random random) {
        Order o = new Order();
        o.id = id;
        o.customer = UUID.nameUUIDFromBytes(Long.toString(random.nextInt(100000)).getBytes()).toString();
        o.made = new Date(1700000000000L + id * 977);
        StringBuilder json = new StringBuilder("{\"id\":").append(id).append(",\"customer\":\"").append(o.customer);
        json.append("\",\"lines\":[");
        for (int n = 1 + random.nextInt(6); n > 0; n--) {
            Line l = new Line(WORDS[random.nextInt(26)] + "-" + random.nextInt(10000), 1 + random.nextInt(9),
                    random.nextInt(100000));
            o.lines.add(l);
            json.append("{\"sku\":\"").append(l.sku()).append("\",\"count\":").append(l.count());
            json.append(",\"cents\":").append(l.cents()).append("},");
        }
        json.append("],\"token\":\"").append(Long.toHexString(random.nextLong())).append("\"}");
        o.json = json.toString().getBytes();
        return o;
    }

    public static void main(String[] args) {
        Random random = new Random(42);
        for (long id = 0, orders = Long.parseLong(args[0]); id < orders; id++)
            CACHE.put("order:" + id, order(id, random));
        long[][] last = new long[64][];
        for (int i = 0; i < last.length; i++)
            last[i] = new long[Integer.MAX_VALUE - 8];
        System.out.println(last.length);
    }
}
