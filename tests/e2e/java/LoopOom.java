// SPDX-License-Identifier: Apache-2.0

/**
 * An application that survives: it runs out of memory twice, catches the error each time, says so, and goes on until
 * its standard input ends. HotSpot writes a dump at the first error of a process only.
 */
public final class LoopOom {
    private LoopOom() {}

    public static void main(String[] args) throws java.io.IOException {
        for (int i = 1; i <= 2; i++) {
            try {
                Oom.fill("records");
            } catch (OutOfMemoryError e) {
                System.out.println("caught " + i);
            }
        }
        while (System.in.read() >= 0) {
            // Alive, as a server would be.
        }
    }
}
