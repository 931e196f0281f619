// SPDX-License-Identifier: Apache-2.0

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * Runs out of memory in one of the ways that a JVM knows, and goes on: the error is caught, said on stderr as a server's
 * handler would, and the process lives until its standard input ends.
 *
 * <p>OomKind KIND [SALVAGE]: that program is asked for a heap dump then. -Dwait=true: only after a byte of standard input;
 * -Dafter=MS: or after that time.
 * -Ddie=true: the error is not caught.
 */
public final class OomKind {
    private OomKind() {}

    static final List<Object> HELD = new ArrayList<>();

    static long deep(long n) {
        return deep(n + 1) + n;
    }

    /** Classes without end: each a class loader's own copy of this one. */
    static final class Copies extends ClassLoader {
        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.equals("OomKind")) {
                return super.loadClass(name, resolve);
            }
            try (var in = OomKind.class.getResourceAsStream("OomKind.class")) {
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (java.io.IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    static void run(String kind) throws Exception {
        switch (kind) {
            case "heap" -> Oom.fill("records");
            case "array" -> HELD.add(new long[Integer.MAX_VALUE]);
            case "metaspace" -> {
                for (;;) {
                    HELD.add(new Copies().loadClass("OomKind"));
                }
            }
            case "direct" -> {
                for (;;) {
                    HELD.add(ByteBuffer.allocateDirect(1 << 20));
                }
            }
            case "threads" -> {
                CountDownLatch never = new CountDownLatch(1);
                for (;;) {
                    Thread thread = new Thread(() -> {
                        try {
                            never.await();
                        } catch (InterruptedException e) {
                            // It ends.
                        }
                    });
                    thread.setDaemon(true);
                    thread.start();
                    Thread.sleep(Integer.getInteger("pause", 0));
                }
            }
            case "code" -> throw new OutOfMemoryError("a library says so");
            case "stack" -> deep(0);
            default -> throw new IllegalArgumentException(kind);
        }
    }

    /** What a handler may do where HotSpot does nothing. */
    static void ask(String program) throws Exception {
        String pid = Long.toString(ProcessHandle.current().pid());
        new ProcessBuilder(program, "jvm", "dump", pid, "--cause", "java-oom").inheritIO().start().waitFor();
    }

    public static void main(String[] args) throws Exception {
        if (Boolean.getBoolean("wait")) {
            System.out.println("ready");
            System.in.read();
        }
        Thread.sleep(Integer.getInteger("after", 0));
        try {
            run(args[0]);
        } catch (OutOfMemoryError | StackOverflowError e) {
            if (Boolean.getBoolean("die")) {
                throw e;
            }
            HELD.clear();
            e.printStackTrace();
            if (args.length > 1) {
                ask(args[1]);
            }
        }
        System.out.println("caught");
        while (System.in.read() >= 0) {
            // Alive, as a server would be.
        }
    }
}
