// SPDX-License-Identifier: Apache-2.0

import java.util.concurrent.locks.LockSupport;

/** Says that it is ready, and once it is told to starts threads until it can't: Threads. With a word it waits for nothing. */
public final class Threads {
    private Threads() {}

    public static void main(String[] args) throws Exception {
        System.out.println("ready");
        if (args.length == 0) {
            System.in.read();
        }
        try {
            while (true) {
                Thread thread = new Thread(() -> {
                    while (true) {
                        LockSupport.park();
                    }
                });
                thread.setDaemon(true);
                thread.start();
            }
        } catch (OutOfMemoryError e) {
            System.out.println("full");
        }
        System.in.read();
        while (System.in.read() >= 0) {
            continue;
        }
    }
}
