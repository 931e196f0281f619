// SPDX-License-Identifier: Apache-2.0
// Threads that hang in one of the usual ways. Says "ready" once they do, and lives until its stdin ends.
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

public class Stuck {
    static final class Cart {
        synchronized void pay(Cart other, CountDownLatch both) throws InterruptedException {
            both.countDown();
            both.await();
            other.touch();
        }

        synchronized void touch() {
        }

        synchronized void holdUntil(CountDownLatch end) throws InterruptedException {
            end.await();
        }
    }

    static final Cart FIRST = new Cart(), SECOND = new Cart(), SHARED = new Cart();
    static final ReentrantLock LOCK = new ReentrantLock(), OTHER = new ReentrantLock();
    static volatile long spins;

    interface Work {
        void run() throws Exception;
    }

    static Thread start(String name, Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (Exception e) {
                throw new RuntimeException(e);
            }
        }, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    static void await(List<Thread> threads, Thread.State state) throws InterruptedException {
        for (Thread thread : threads)
            while (thread.getState() != state)
                Thread.sleep(1);
    }

    static void deadlock() throws Exception {
        CountDownLatch both = new CountDownLatch(2);
        await(List.of(start("pay-1", () -> FIRST.pay(SECOND, both)), start("pay-2", () -> SECOND.pay(FIRST, both))),
              Thread.State.BLOCKED);
    }

    static void take(ReentrantLock first, ReentrantLock second, CountDownLatch both) throws InterruptedException {
        first.lock();
        both.countDown();
        both.await();
        second.lock();
    }

    static void lockDeadlock() throws Exception {
        CountDownLatch both = new CountDownLatch(2);
        await(List.of(start("lock-1", () -> take(LOCK, OTHER, both)), start("lock-2", () -> take(OTHER, LOCK, both))),
              Thread.State.WAITING);
    }

    static void convoy(int count) throws Exception {
        CountDownLatch held = new CountDownLatch(1), never = new CountDownLatch(1);
        List<Thread> threads = new ArrayList<>();
        Thread owner = start("owner", () -> {
            synchronized (SHARED) {
                held.countDown();
                SHARED.holdUntil(never);
            }
        });
        held.await();
        await(List.of(owner), Thread.State.WAITING);
        for (int i = 1; i <= count; i++)
            threads.add(start("http-nio-8080-exec-" + i, SHARED::touch));
        await(threads, Thread.State.BLOCKED);
    }

    static void pool(int count) throws Exception {
        List<Thread> threads = new ArrayList<>();
        AtomicInteger number = new AtomicInteger();
        ThreadFactory factory = task -> {
            Thread thread = new Thread(task, "worker-" + number.incrementAndGet());
            thread.setDaemon(true);
            synchronized (threads) {
                threads.add(thread);
            }
            return thread;
        };
        ExecutorService pool = Executors.newFixedThreadPool(count, factory);
        for (int i = 0; i < count; i++)
            pool.execute(() -> { });
        await(threads, Thread.State.WAITING);
    }

    static void spin() {
        start("spinner", () -> {
            while (true)
                spins++;
        });
    }

    static void virtual(int count) throws Exception {
        Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
        Class<?> type = Class.forName("java.lang.Thread$Builder$OfVirtual");
        List<Thread> threads = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            Object named = type.getMethod("name", String.class).invoke(builder, "order-" + i);
            threads.add((Thread) type.getMethod("start", Runnable.class).invoke(named, (Runnable) Stuck::parkForever));
        }
        await(threads, Thread.State.WAITING);
    }

    static void parkForever() {
        while (true)
            LockSupport.park();
    }

    public static void main(String[] args) throws Exception {
        for (String how : args) {
            switch (how) {
                case "deadlock" -> deadlock();
                case "lock-deadlock" -> lockDeadlock();
                case "convoy" -> convoy(12);
                case "pool" -> pool(20);
                case "spin" -> spin();
                case "virtual" -> virtual(30);
                default -> throw new IllegalArgumentException(how);
            }
        }
        System.out.println("ready");
        System.out.flush();
        while (System.in.read() >= 0)
            continue;
    }
}
