// SPDX-License-Identifier: Apache-2.0
import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A heap at two moments: Grows BEFORE AFTER writes a dump of itself, lets a map grow, another one shrink, and writes the
 * second.
 */
public final class Grows {
    private Grows() {}

    static final class Order {
        final long id;
        final byte[] body = new byte[200];

        Order(long id) {
            this.id = id;
        }
    }

    static final class Page {
        final byte[] text = new byte[1000];
    }

    static final class Sessions {
        static final List<Page> PAGES = new ArrayList<>();
    }

    static final Map<Long, Order> CACHE = new HashMap<>();

    static void dump(String path) throws Exception {
        ManagementFactory.newPlatformMXBeanProxy(
                ManagementFactory.getPlatformMBeanServer(),
                "com.sun.management:type=HotSpotDiagnostic",
                HotSpotDiagnosticMXBean.class)
            .dumpHeap(path, true);
    }

    public static void main(String[] args) throws Exception {
        for (long id = 0; id < 4000; id++)
            CACHE.put(id, new Order(id));
        for (int i = 0; i < 4000; i++)
            Sessions.PAGES.add(new Page());
        dump(args[0]);
        for (long id = 4000; id < 30000; id++)
            CACHE.put(id, new Order(id));
        Sessions.PAGES.subList(100, 4000).clear();
        Sessions.PAGES.removeIf(page -> page.text.length == 0);
        dump(args[1]);
    }
}
