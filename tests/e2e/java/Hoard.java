// SPDX-License-Identifier: Apache-2.0

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Fills its heap and then rests: "Hoard 100 arrays" keeps 100 MB of arrays; nodes: of small objects that point to
 * each other; some of it is garbage at once. Waits for its input's end. */
public final class Hoard {
    private Hoard() {}

    static final class Order {
        final int number;
        Order before;
        boolean paid;

        Order(int number, Order before) {
            this.number = number;
            this.before = before;
        }
    }

    static final List<byte[]> arrays = new ArrayList<>();
    static final Map<Integer, Order> nodes = new HashMap<>();
    static final int NODE = 88; // bytes of heap for one entry: Order, Integer, Node, slot of the table

    public static void main(String[] args) throws java.io.IOException {
        int megabytes = Integer.parseInt(args[0]);

        if (args[1].equals("arrays")) {
            java.util.Random random = new java.util.Random(7);
            for (int i = 0; i < megabytes; i++) {
                byte[] piece = new byte[(1 << 20) - 64];
                random.nextBytes(piece);
                arrays.add(piece);
            }
        } else {
            Order last = null;
            for (int i = 0; i < megabytes * ((1 << 20) / NODE); i++) {
                last = new Order(i, i % 1000 == 0 ? null : last);
                nodes.put(i, last);
            }
        }
        for (int i = 0; i < 1000; i++) {
            new Order(i, null);
        }
        System.out.println("ready");
        while (System.in.read() >= 0) {
            // Somebody looks at us.
        }
    }
}
