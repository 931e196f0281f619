// SPDX-License-Identifier: Apache-2.0

import java.util.HashMap;
import java.util.Map;

/** Says that it is there, and rests: an application that is looked at. */
public final class Rest {
    private Rest() {}

    public static void main(String[] args) throws InterruptedException {
        Map<Integer, String> held = new HashMap<>();
        for (int i = 0; i < 100_000; i++) {
            held.put(i, "value " + i);
        }
        System.out.println("ready " + held.size());
        Thread.sleep(Long.MAX_VALUE);
    }
}
