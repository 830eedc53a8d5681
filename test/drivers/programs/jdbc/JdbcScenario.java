// JDBC: unnamed and named statements, binary transfer, batches, cursors by fetch size, COPY, large objects, metadata.
public class JdbcScenario extends Checks {
    public static void main(String[] arguments) throws Exception {
        session(db -> {
            run(db, "create table people (id serial primary key, name text not null, age int)");
            settle(db);
        });
        for (var mode : Modes.modes.entrySet()) Modes.perMode(mode.getKey(), mode.getValue());
        Sessions.transactions();
        Sessions.results();
        Sessions.copies();
        Sessions.sessions();
        System.out.println("1.." + checks);
    }
}
