// SPDX-License-Identifier: Apache-2.0
// Wastes memory in known amounts, and waits for its input's end. Classes of its own, so that the JDK's objects don't count.
import java.io.ByteArrayOutputStream;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.Supplier;

public class Waste {
    static class AHashMap extends HashMap<Object, Object> { AHashMap() { super(64); } }
    static class ALinkedHashMap extends LinkedHashMap<Object, Object> { ALinkedHashMap() { super(64); } }
    static class AHashtable extends Hashtable<Object, Object> { AHashtable() { super(64); } }
    static class AWeakHashMap extends WeakHashMap<Object, Object> { AWeakHashMap() { super(64); } }
    static class AnIdentityHashMap extends IdentityHashMap<Object, Object> { AnIdentityHashMap() { super(40); } }
    static class AConcurrentHashMap extends ConcurrentHashMap<Object, Object> { AConcurrentHashMap() { super(40); } }
    static class ATreeMap extends TreeMap<Object, Object> { }
    static class AHashSet extends HashSet<Object> { AHashSet() { super(64); } }
    static class AnArrayList extends ArrayList<Object> { AnArrayList() { super(64); } }
    static class AVector extends Vector<Object> { AVector() { super(64); } }
    static class AnArrayDeque extends ArrayDeque<Object> { AnArrayDeque() { super(60); } }
    static class APriorityQueue extends PriorityQueue<Object> { APriorityQueue() { super(64); } }
    static class ALinkedList extends LinkedList<Object> { }
    static class AStream extends ByteArrayOutputStream { AStream() { super(64); } }

    static final int EMPTY = 10, SPARSE = 20, FULL = 30, ELEMENTS = 40;
    static final List<Object> ALL = new LinkedList<>();

    static void collections(Supplier<Collection<Object>> make) {
        for (int i = 0; i < EMPTY + SPARSE + FULL; i++) {
            Collection<Object> c = make.get();
            for (int n = 0; n < (i < EMPTY ? 0 : i < EMPTY + SPARSE ? 1 : ELEMENTS); n++)
                c.add("element " + n);
            ALL.add(c);
        }
    }

    static void maps(Supplier<Map<Object, Object>> make) {
        for (int i = 0; i < EMPTY + SPARSE + FULL; i++) {
            Map<Object, Object> m = make.get();
            for (int n = 0; n < (i < EMPTY ? 0 : i < EMPTY + SPARSE ? 1 : ELEMENTS); n++)
                m.put("element " + n, ALL);
            ALL.add(m);
            ALL.add(new ArrayList<>(m.keySet())); // of a weak map
        }
    }

    public static void main(String[] args) throws Exception {
        maps(AHashMap::new);
        maps(ALinkedHashMap::new);
        maps(AHashtable::new);
        maps(AWeakHashMap::new);
        maps(AnIdentityHashMap::new);
        maps(AConcurrentHashMap::new);
        maps(ATreeMap::new);
        collections(AHashSet::new);
        collections(AnArrayList::new);
        collections(AVector::new);
        collections(AnArrayDeque::new);
        collections(APriorityQueue::new);
        collections(ALinkedList::new);
        for (int i = 0; i < EMPTY + SPARSE + FULL; i++) {
            AStream stream = new AStream();
            stream.write(new byte[i < EMPTY ? 0 : i < EMPTY + SPARSE ? 1 : ELEMENTS], 0, i < EMPTY ? 0 : i < EMPTY + SPARSE ? 1 : ELEMENTS);
            ALL.add(stream);
        }
        for (int i = 0; i < 5000; i++) {
            ALL.add(new String("the same customer".toCharArray()));
            ALL.add(new String("\u0434\u0432\u0430".toCharArray()));
            ALL.add(Integer.valueOf(5000));
            ALL.add(Long.valueOf(1000000L + i));
        }
        for (int i = 0; i < 10; i++)
            ALL.add(new long[10000]);
        for (int i = 0; i < 10; i++) {
            double[] table = new double[1000];
            Arrays.fill(table, 1.5);
            ALL.add(table);
        }
        for (int i = 0; i < 100; i++)
            ALL.add(new StringBuilder(1000).append("little"));
        System.out.println("ready");
        System.in.read();
    }
}
