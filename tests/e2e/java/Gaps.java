// SPDX-License-Identifier: Apache-2.0
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Fills so many MiB of its heap, and watches the clock as native/clockgaps.c does. */
public class Gaps {
    private static volatile long longest;

    public static void main(String[] args) throws Exception {
        List<byte[]> kept = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(args[0]); i++) {
            byte[] one = new byte[1 << 20];
            Arrays.fill(one, (byte) i);
            kept.add(one);
        }
        Thread watch = new Thread(() -> {
            for (long now, last = System.nanoTime(); !kept.isEmpty(); last = now) {
                try {
                    Thread.sleep(1);
                } catch (InterruptedException e) {
                    return;
                }
                now = System.nanoTime();
                longest = Math.max(longest, now - last);
            }
        });
        watch.setDaemon(true);
        watch.start();
        System.out.println("ready");
        while (System.in.read() == '\n') {
            System.out.println(longest / 1000);
            longest = 0;
        }
    }
}
