// SPDX-License-Identifier: Apache-2.0

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * An application whose memory grows outside of its heap, as with a leak of direct buffers.
 *
 * <p>Leak MIB_PER_SECOND [HEAP_MIB [DIRECT_MIB]]: first fills so much of its heap (24), takes so much beside it (0), says
 * that it is ready, and leaks as soon as there is a line on its standard input; ends with its input.
 */
public final class Leak {
    private static final int MIB = 1 << 20;
    private static final int PAGE = 4096;

    private Leak() {}

    static ByteBuffer touched() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(MIB);
        for (int i = 0; i < MIB; i += PAGE) {
            buffer.put(i, (byte) 1);
        }
        return buffer;
    }

    static void leak(int mibPerSecond) throws InterruptedException {
        List<ByteBuffer> held = new ArrayList<>();
        long begun = System.nanoTime();
        while (true) {
            while (held.size() < (System.nanoTime() - begun) / 1e9 * mibPerSecond) {
                held.add(touched());
            }
            Thread.sleep(5);
        }
    }

    public static void main(String[] args) throws Exception {
        int speed = Integer.parseInt(args[0]);
        List<byte[]> heap = new ArrayList<>();
        for (int i = args.length > 1 ? Integer.parseInt(args[1]) : 24; i > 0; i--) {
            heap.add(new byte[MIB - PAGE]);
        }
        List<ByteBuffer> beside = new ArrayList<>();
        for (int i = args.length > 2 ? Integer.parseInt(args[2]) : 0; i > 0; i--) {
            beside.add(touched());
        }
        System.out.println("ready");
        if (System.in.read() >= 0) {
            leak(speed);
        }
        System.exit(heap.isEmpty() && beside.isEmpty() ? 1 : 0);
    }
}
