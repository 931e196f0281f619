# SPDX-License-Identifier: Apache-2.0
"""What the whole-program tests share. One file, one thing: the program, the stores, the proxy, dumps, JVMs."""
