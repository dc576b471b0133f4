import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Follows every process over Kafka with Kafka's own client: drops repetitions by the event's id, and finds gaps by its
 * sequence. Prints one JSON object a line; no code of Baton's.
 *
 * <pre>
 * mvn -q compile exec:java -Dexec.args="localhost:9092 my-group baton.process"
 * java -cp 'DIRECTORY-OF-JARS/*' FollowProcesses.java localhost:9092 my-group baton.process
 * </pre>
 */
public final class FollowProcesses {
  /** How many processes are remembered; those that were silent longest are forgotten first. */
  private static final int MOST = 100_000;

  /** What came of one process. */
  private static final class Followed {
    final Set<String> ids = new HashSet<>();
    int highest = 0;
  }

  private final Map<String, Followed> processes =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Followed> eldest) {
          return size() > MOST;
        }
      };

  public static void main(String[] args) {
    if (args.length < 2) {
      System.err.println("Give: BROKERS GROUP [TOPIC]");
      System.exit(2);
    }
    new FollowProcesses().run(args[0], args[1], args.length > 2 ? args[2] : "baton.process");
  }

  private void run(String brokers, String group, String topic) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", brokers);
    settings.put("group.id", group);
    settings.put("auto.offset.reset", "earliest");
    // Offsets move behind the work: a crash repeats, it never skips.
    settings.put("enable.auto.commit", "false");
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      Thread main = Thread.currentThread();
      Runtime.getRuntime().addShutdownHook(new Thread(() -> end(consumer, main)));
      consumer.subscribe(List.of(topic));
      while (true) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) take(record);
        consumer.commitSync();
      }
    } catch (WakeupException ended) {
      System.err.println("ended");
    }
  }

  private static void end(KafkaConsumer<String, String> consumer, Thread main) {
    consumer.wakeup();
    try {
      main.join(5_000);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void take(ConsumerRecord<String, String> record) {
    String process = header(record, "ce_subject");
    String id = header(record, "ce_id");
    int sequence = Integer.parseInt(header(record, "ce_sequence"));
    String about = "\"process\":\"" + process + "\",\"sequence\":" + sequence + ",\"id\":\"" + id + "\"";
    Followed followed = processes.computeIfAbsent(process, key -> new Followed());
    if (!followed.ids.add(id)) {
      tell("repetition", about);
      return;
    }
    if (sequence > followed.highest + 1)
      tell("gap", "\"process\":\"" + process + "\",\"from\":" + (followed.highest + 1) + ",\"to\":" + (sequence - 1));
    followed.highest = Math.max(followed.highest, sequence);
    handle(record, about);
  }

  /** Your own business: one event, once. The value is JSON, as /schemas/TYPE.json describes it. */
  private void handle(ConsumerRecord<String, String> record, String about) {
    tell("event", about + ",\"type\":\"" + header(record, "ce_type") + "\"");
  }

  private static void tell(String what, String about) {
    System.out.println("{\"what\":\"" + what + "\"," + about + "}");
  }

  private static String header(ConsumerRecord<String, String> record, String name) {
    Header header = record.headers().lastHeader(name);
    return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
  }
}
