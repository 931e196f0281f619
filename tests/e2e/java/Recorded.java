// SPDX-License-Identifier: Apache-2.0

import java.util.ArrayList;
import java.util.List;

/** Leaves something of each kind in a flight recording: old objects, collections, an error that it survives. */
public final class Recorded {
    private Recorded() {}

    static final class Order {
        long id;
        Order before;
        long a, b, c, d, e, f, g, h;
    }

    static final List<Order> ORDERS = new ArrayList<>();
    static byte[] garbage;

    public static void main(String[] args) {
        Order last = null;
        for (int i = 0; i < 400_000; i++) {
            Order order = new Order();
            order.id = i;
            order.before = last;
            last = order;
            if (i % 1000 == 0) {
                garbage = new byte[50_000]; // the JVM keeps samples that are older than one that died
            }
            if (i % 100_000 == 0) {
                System.gc();
            }
        }
        ORDERS.add(last);
        try {
            throw new InternalError("once");
        } catch (InternalError e) {
            System.out.println(e.getMessage());
        }
    }
}
