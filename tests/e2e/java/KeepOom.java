// SPDX-License-Identifier: Apache-2.0

import java.util.ArrayList;
import java.util.List;

/**
 * An application that survives and keeps what it holds: it runs out of memory twice, gives a little back each time so
 * that it can be asked, says so, and goes on until its standard input ends.
 */
public final class KeepOom {
    private KeepOom() {}

    static final List<byte[]> HELD = new ArrayList<>(100_000);

    static void fill() {
        for (long n = 0; ; n++) {
            HELD.add(Oom.block(n));
        }
    }

    public static void main(String[] args) throws java.io.IOException {
        for (int i = 1; i <= 2; i++) {
            try {
                fill();
            } catch (OutOfMemoryError e) {
                for (int n = 0; n < 48; n++) {
                    HELD.remove(HELD.size() - 1); // allocates nothing
                }
                System.out.println("caught " + i);
            }
        }
        while (System.in.read() >= 0) {
            // Alive, as a server would be.
        }
    }
}
