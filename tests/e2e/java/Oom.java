// SPDX-License-Identifier: Apache-2.0

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Fills its heap with the sort of things applications hold, until it dies.
 *
 * <p>Oom [records|strings|arrays]: a cache of orders, text, or blocks of bytes.
 */
public final class Oom {
    private Oom() {}

    record Item(String article, int count, long cents) {}

    record Order(long id, String customer, List<Item> items, Map<String, String> attributes) {}

    static Order order(long id) {
        List<Item> items = new ArrayList<>();
        for (int i = 0; i < 1 + id % 7; i++) {
            items.add(new Item("article-" + (id * 31 + i) % 5000, (int) (id % 9) + 1, id * 7919 % 100_000));
        }
        Map<String, String> attributes = new HashMap<>();
        attributes.put("channel", id % 3 == 0 ? "web" : "app");
        attributes.put("session", Long.toHexString(id * 0x9E3779B97F4A7C15L));
        return new Order(id, "customer-" + id % 20_000 + "@example.com", items, attributes);
    }

    static byte[] block(long seed) {
        byte[] block = new byte[64 * 1024];
        long x = seed * 0x9E3779B97F4A7C15L + 1;
        for (int i = 0; i < block.length; i++) {
            x ^= x << 13;
            x ^= x >>> 7;
            x ^= x << 17;
            block[i] = i % 3 == 0 ? (byte) x : (byte) (i >>> 4);
        }
        return block;
    }

    static Object one(String what, long n) {
        return switch (what) {
            case "records" -> order(n);
            case "strings" -> ("line " + n + " of a log that nobody rotates; ").repeat(1 + (int) (n % 40));
            case "arrays" -> block(n);
            default -> throw new IllegalArgumentException(what);
        };
    }

    /** Never returns. */
    static void fill(String what) {
        List<Object> cache = new ArrayList<>();
        for (long n = 0; ; n++) {
            cache.add(one(what, n));
        }
    }

    public static void main(String[] args) {
        fill(args.length > 0 ? args[0] : "records");
    }
}
