// SPDX-License-Identifier: Apache-2.0

/**
 * Makes garbage and keeps a little, so that its collector has something to count; then waits for its input's end.
 *
 * <p>Churn [MIB]: keeps so many MiB more.
 */
public final class Churn {
    private Churn() {}

    static final byte[][] kept = new byte[64][];
    static byte[][] more;

    public static void main(String[] args) throws java.io.IOException {
        more = new byte[args.length > 0 ? Integer.parseInt(args[0]) : 0][];
        for (int i = 0; i < more.length; i++) {
            more[i] = new byte[1 << 20];
        }
        for (int i = 0; i < 60_000; i++) {
            kept[i % kept.length] = new byte[1 + i % 4096];
        }
        System.gc();
        System.out.println("ready");
        while (System.in.read() >= 0) {
            // Somebody looks at us.
        }
    }
}
