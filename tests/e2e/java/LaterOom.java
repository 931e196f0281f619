// SPDX-License-Identifier: Apache-2.0

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;

/**
 * Waits for a line on its standard input, then runs out of memory as LoopOom does, and survives.
 *
 * <p>LaterOom [FLAG=VALUE...]: first sets flags of its own JVM, as an operator would by jcmd.
 */
public final class LaterOom {
    private LaterOom() {}

    public static void main(String[] args) throws java.io.IOException {
        HotSpotDiagnosticMXBean flags = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        for (String arg : args) {
            int at = arg.indexOf('=');
            flags.setVMOption(arg.substring(0, at), arg.substring(at + 1));
        }
        System.out.println("ready");
        while (System.in.read() != '\n') {
            // Nobody has said anything yet.
        }
        LoopOom.main(args);
    }
}
