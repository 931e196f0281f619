// SPDX-License-Identifier: Apache-2.0
// Leaks in one of the usual ways until the heap is full, and dies of it.
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

public class Leaks {
    static final class Order {
        final long id;
        final byte[] body = new byte[200];

        Order(long id) {
            this.id = id;
        }
    }

    static final class Bus {
        final List<Runnable> listeners = new ArrayList<>();
    }

    /** What an application server loads anew with each deployment. */
    public static final class Plugin {
        static final byte[] DATA = new byte[50_000];
    }

    static final class PluginLoader extends ClassLoader {
        PluginLoader() {
            super(Leaks.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.equals("Leaks$Plugin"))
                return super.loadClass(name, resolve);
            try (InputStream in = Leaks.class.getResourceAsStream("Leaks$Plugin.class")) {
                byte[] code = in.readAllBytes();
                return defineClass(name, code, 0, code.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    static final class Handle {
        final byte[] body = new byte[200];

        @SuppressWarnings({"deprecation", "removal"})
        @Override
        protected void finalize() throws Exception {
            Thread.sleep(1_000_000);
        }
    }

    static final List<Object> PLUGINS = new ArrayList<>();
    static final List<ByteBuffer> BUFFERS = new ArrayList<>();
    static final Map<Long, Order> CACHE = new HashMap<>();
    static final Bus BUS = new Bus();
    static final ThreadLocal<List<Order>> PER_THREAD = ThreadLocal.withInitial(ArrayList::new);

    static void deploy() {
        try {
            PLUGINS.add(new PluginLoader().loadClass("Leaks$Plugin").getDeclaredConstructor().newInstance());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    static void add(String how, List<Order> local, long id) {
        Order order = new Order(id);

        switch (how) {
            case "static-map" -> CACHE.put(id, order);
            case "listeners" -> BUS.listeners.add(() -> System.out.println(order.id));
            case "thread-local" -> PER_THREAD.get().add(order);
            case "stack-local" -> local.add(order);
            case "class-loader" -> deploy();
            case "finalizers" -> new Handle();
            case "direct-buffers" -> BUFFERS.add(ByteBuffer.allocateDirect(100));
            default -> throw new IllegalArgumentException(how);
        }
    }

    public static void main(String[] args) throws Exception {
        Thread thread = new Thread(() -> {
            List<Order> local = new ArrayList<>();

            if (args[0].equals("huge-array")) {
                byte[] first = new byte[12 << 20];
                byte[] second = new byte[100 << 20];
                System.out.println(first.length + second.length);
            }
            for (long id = 0;; id++)
                add(args[0], local, id);
        }, "order-writer");

        thread.start();
        thread.join();
        System.exit(1);
    }
}
