// SPDX-License-Identifier: Apache-2.0

/** Makes garbage and keeps a little, so that its collector has something to count; then waits for its input's end. */
public final class Churn {
    private Churn() {}

    static final byte[][] kept = new byte[64][];

    public static void main(String[] args) throws java.io.IOException {
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
