// SPDX-License-Identifier: Apache-2.0

import java.util.concurrent.locks.ReentrantLock;

/**
 * Is at rest, until its standard input ends: threads that wait, a lock that is held, 12 MiB and some objects that are
 * alive (Kept), and some that are not (Litter).
 */
public final class Rest {
    static final int KEPT = 1234;
    static final int LITTER = 4321;

    static final class Kept {}

    static final class Litter {}

    private Rest() {}

    private static void hold(ReentrantLock lock, Object monitor) {
        lock.lock();
        synchronized (monitor) {
            while (true) {
                try {
                    Thread.sleep(1_000_000);
                } catch (InterruptedException e) {
                    // Rests on.
                }
            }
        }
    }

    private static void start(String name, Runnable runnable) throws InterruptedException {
        Thread thread = new Thread(runnable, name);
        thread.setDaemon(true);
        thread.start();
        while (thread.getState() == Thread.State.NEW || thread.getState() == Thread.State.RUNNABLE) {
            Thread.sleep(5);
        }
    }

    public static void main(String[] args) throws Exception {
        ReentrantLock lock = new ReentrantLock();
        Object monitor = new Object();
        byte[][] blocks = new byte[12][];
        Object[] kept = new Object[KEPT];
        Object[] litter = new Object[LITTER];

        start("holder", () -> hold(lock, monitor));
        start("wants the lock", lock::lock);
        start("wants the monitor", () -> hold(new ReentrantLock(), monitor));
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = new byte[1 << 20];
        }
        for (int i = 0; i < kept.length; i++) {
            kept[i] = new Kept();
        }
        System.gc();
        for (int i = 0; i < litter.length; i++) {
            litter[i] = new Litter();
        }
        litter = null;
        System.out.println("ready");
        while (System.in.read() >= 0) {
            // At rest.
        }
        System.out.println(blocks.length + kept.length);
    }
}
