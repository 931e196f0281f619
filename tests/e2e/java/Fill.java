// SPDX-License-Identifier: Apache-2.0

import java.util.ArrayList;
import java.util.List;

/** Fills its heap to so many per cent, and lets it go, again and again: Fill TIMES PERCENT. Nothing of it is a leak. */
public final class Fill {
    private Fill() {}

    static final int MIB = 1 << 20;

    public static void main(String[] args) throws Exception {
        System.out.println("ready");
        if (System.in.read() < 0) {
            return;
        }
        for (int i = Integer.parseInt(args[0]); i > 0; i--) {
            List<byte[]> held = new ArrayList<>();
            long most = Runtime.getRuntime().maxMemory() / 100 * Integer.parseInt(args[1]) / MIB;
            while (held.size() < most) {
                held.add(new byte[MIB - 4096]);
                if (held.size() % 4 == 0) {
                    Thread.sleep(10);
                }
            }
            Thread.sleep(300);
        }
    }
}
