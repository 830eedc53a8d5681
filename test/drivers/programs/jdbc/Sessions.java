// What is the same in all modes: isolation, metadata, cursors, COPY, large objects, notifications, timeouts, threads.
import java.io.StringReader;
import java.io.StringWriter;
import java.sql.*;
import java.util.*;
import java.util.concurrent.*;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;

class Sessions extends Checks {
    static void transactions() {
        check("isolation levels and read-only sessions", () -> {
            for (String mode : new String[] { "ignore", "transaction", "always" }) {
                session(db -> {
                    db.setReadOnly(true);
                    for (boolean autocommit : new boolean[] { true, false }) {
                        db.setAutoCommit(autocommit);
                        for (int n = 0; n < 7; n++) equal(one(db, "select count(*) from items where id <= ?", 3), 3);
                        boolean refused = autocommit ? mode.equals("always") : !mode.equals("ignore");
                        if (refused) fails("25006", () -> run(db, "insert into people (name) values ('not')"));
                        else run(db, "insert into people (name) values ('yes')");
                        if (!autocommit) db.rollback();
                    }
                    db.setReadOnly(false);
                    run(db, "insert into people (name) values ('yes')");
                    db.rollback();
                }, "readOnlyMode", mode);
            }
            session(db -> {
                for (int level : new int[] { Connection.TRANSACTION_READ_COMMITTED, Connection.TRANSACTION_REPEATABLE_READ, Connection.TRANSACTION_SERIALIZABLE }) {
                    db.setTransactionIsolation(level);
                    equal(db.getTransactionIsolation(), level);
                    db.setAutoCommit(false);
                    equal(one(db, "select count(*) from items where id <= 3"), 3);
                    db.commit();
                    db.setAutoCommit(true);
                }
            });
        });

        check("others see a transaction after its commit", () -> session(db -> session(other -> {
            db.setAutoCommit(false);
            run(db, "insert into people (name) values ('committed')");
            equal(one(other, "select count(*) from people where name = 'committed'"), 0);
            db.commit();
            settle(other);
            equal(one(other, "select count(*) from people where name = 'committed'"), 1);
        })));

        check("autosave brings a failed transaction on", () -> session(db -> {
            db.setAutoCommit(false);
            run(db, "insert into people (name) values ('saved')");
            fails("22012", () -> one(db, "select 1 / ?::int", 0));
            equal(one(db, "select count(*) from people where name = 'saved'"), 1);
            fails("42P01", () -> one(db, "select * from no_such_table"));
            equal(one(db, "select count(*) from people where name = 'saved'"), 1);
            db.rollback();
        }, "autosave", "always"));

        check("an altered table in a transaction is an error", () -> session(db -> session(other -> {
            run(db, "create table altered (a int)");
            settle(db);
            db.setAutoCommit(false);
            try (PreparedStatement statement = db.prepareStatement("select * from altered")) {
                for (int n = 0; n < 3; n++) one(statement);
                db.commit();
                run(other, "alter table altered add column b int");
                settle(other);
                Thread.sleep(300);
                fails("0A000", () -> one(statement));
                db.rollback();
            }
            run(other, "drop table altered");
        }), "prepareThreshold", "1"));
    }

    static void results() {
        check("scrollable and updatable results", () -> session(db -> {
            run(db, "insert into people (name, age) values ('updatable', 1)");
            settle(db);
            try (Statement statement = db.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
                 ResultSet rows = statement.executeQuery("select id, name, age from people where name = 'updatable'")) {
                equal(rows.last(), true);
                rows.updateInt("age", 7);
                rows.updateRow();
                equal(rows.absolute(1), true);
                equal(rows.getInt("age"), 7);
            }
            settle(db);
            equal(one(db, "select age from people where name = 'updatable'"), 7);
            db.setHoldability(ResultSet.HOLD_CURSORS_OVER_COMMIT);
            db.setAutoCommit(false);
            run(db, "declare held cursor with hold for select id from items where id <= 50 order by id");
            db.commit();
            equal(one(db, "fetch from held"), 1);
            equal(one(db, "select count(*) from items where id <= 50"), 50);
            db.commit();
            equal(one(db, "fetch from held"), 2);
            db.rollback();
        }));

        check("metadata of the database", () -> session(db -> {
            DatabaseMetaData meta = db.getMetaData();
            equal(meta.getDatabaseMajorVersion() >= 14, true);
            equal(column(meta.getTables(null, schema, "%", new String[] { "TABLE" }), "TABLE_NAME").contains("people"), true);
            equal(column(meta.getColumns(null, schema, "people", "%"), "COLUMN_NAME"), List.of("id", "name", "age"));
            equal(column(meta.getPrimaryKeys(null, schema, "people"), "COLUMN_NAME"), List.of("id"));
            equal(column(meta.getIndexInfo(null, schema, "people", true, true), "INDEX_NAME"), List.of("people_pkey"));
            equal(column(meta.getSchemas(null, schema), "TABLE_SCHEM"), List.of(schema));
            equal(column(meta.getFunctions(null, "public", "bump"), "FUNCTION_NAME"), List.of("bump"));
            equal(column(meta.getTypeInfo(), "TYPE_NAME").contains("int4"), true);
            equal(db.getSchema(), schema);
            equal(db.getCatalog(), "test");
        }));

        check("metadata of results and parameters", () -> session(db -> {
            try (PreparedStatement statement = db.prepareStatement("select id, name, age from people where id = ? and name = ?")) {
                equal(statement.getParameterMetaData().getParameterTypeName(1), "int4");
                equal(statement.getParameterMetaData().getParameterTypeName(2), "text");
                ResultSetMetaData meta = statement.getMetaData();
                equal(meta.getColumnTypeName(2), "text");
                equal(meta.isNullable(2), ResultSetMetaData.columnNoNulls);
                equal(meta.isAutoIncrement(1), true);
            }
        }));

        check("several results of one string", () -> session(db -> {
            try (Statement statement = db.createStatement()) {
                equal(statement.execute("select 1; insert into people (name) values ('several'); select 3"), true);
                equal(statement.getMoreResults(), false);
                equal(statement.getUpdateCount(), 1);
                equal(statement.getMoreResults(), true);
                try (ResultSet rows = statement.getResultSet()) { rows.next(); equal(rows.getInt(1), 3); }
            }
            fails("22012", () -> run(db, "insert into people (name) values ('taken back'); select 1/0"));
            settle(db);
            equal(one(db, "select count(*) from people where name = 'taken back'"), 0);
        }));

        check("functions and procedures are called", () -> session(db -> {
            run(db, "create function add_up(a int, b int) returns int language sql as 'select a + b'");
            run(db, "create procedure add_person(who text) language sql as 'insert into people (name) values (who)'");
            settle(db);
            try (CallableStatement call = db.prepareCall("{ ? = call add_up(?, ?) }")) {
                call.registerOutParameter(1, Types.INTEGER);
                call.setInt(2, 3);
                call.setInt(3, 4);
                call.execute();
                equal(call.getInt(1), 7);
            }
            try (PreparedStatement call = db.prepareStatement("call add_person(?)")) {
                call.setString(1, "called");
                call.execute();
            }
            equal(one(db, "select count(*) from people where name = 'called'"), 1);
        }));

        check("long texts, many columns, many parameters", () -> session(db -> {
            String text = "ä€".repeat(200_000);
            equal(one(db, "select ?::text", text), text);
            StringJoiner columns = new StringJoiner(", ", "select ", ""), marks = new StringJoiner(",", "select count(*) from items where id in (", ") and id <= 100");
            for (int n = 1; n <= 1600; n++) columns.add(n + " as column_" + n);
            Integer[] values = new Integer[20_000];
            for (int n = 0; n < values.length; n++) { marks.add("?"); values[n] = n + 1; }
            try (Statement statement = db.createStatement(); ResultSet rows = statement.executeQuery(columns.toString())) {
                rows.next();
                equal(rows.getInt("column_1600"), 1600);
            }
            equal(one(db, marks.toString(), (Object[]) values), 100);
        }));
    }

    static List<String> column(ResultSet rows, String name) throws SQLException {
        List<String> values = new ArrayList<>();
        try (rows) { while (rows.next()) values.add(rows.getString(name)); }
        return values;
    }

    static void copies() {
        check("COPY in and out", () -> session(db -> {
            run(db, "create temp table copied (n int, name text)");
            StringBuilder lines = new StringBuilder();
            for (int n = 0; n < 5000; n++) lines.append(n).append("\tline ").append(n).append('\n');
            var copy = db.unwrap(PGConnection.class).getCopyAPI();
            equal(copy.copyIn("copy copied from stdin", new StringReader(lines.toString())), 5000L);
            StringWriter back = new StringWriter();
            equal(copy.copyOut("copy (select * from copied order by n) to stdout", back), 5000L);
            equal(back.toString(), lines.toString());
            StringWriter few = new StringWriter();
            copy.copyOut("copy (select id from items where id <= 3 order by id) to stdout", few);
            equal(few.toString(), "1\n2\n3\n");
            fails("22P02", () -> copy.copyIn("copy copied from stdin", new StringReader("x\ty\n")));
            var in = copy.copyIn("copy copied from stdin");
            in.cancelCopy();
            equal(one(db, "select count(*) from copied"), 5000);
        }));

        check("large objects by the fast path", () -> session(db -> {
            byte[] content = new byte[256_000];
            for (int n = 0; n < content.length; n++) content[n] = (byte) n;
            db.setAutoCommit(false);
            LargeObjectManager manager = db.unwrap(PGConnection.class).getLargeObjectAPI();
            long oid = manager.createLO();
            try (LargeObject large = manager.open(oid, LargeObjectManager.WRITE)) { large.write(content); }
            db.commit();
            try (LargeObject large = manager.open(oid, LargeObjectManager.READ)) {
                large.seek(1000);
                equal(large.read(300_000), Arrays.copyOfRange(content, 1000, content.length));
            }
            manager.delete(oid);
            db.commit();
        }));
    }

    static void sessions() {
        check("notices, LISTEN and NOTIFY", () -> session(listener -> session(sender -> {
            try (Statement statement = sender.createStatement()) {
                statement.execute("do $$ begin raise notice 'first'; raise warning 'second'; end $$");
                equal(statement.getWarnings().getMessage(), "first");
                equal(statement.getWarnings().getNextWarning().getMessage(), "second");
            }
            run(listener, "listen from_" + schema);
            sender.setAutoCommit(false);
            run(sender, "notify from_" + schema + ", 'one'");
            one(sender, "select pg_notify(?, ?)", "from_" + schema, "zwei");
            sender.commit();
            List<String> heard = new ArrayList<>();
            while (heard.size() < 2) {
                PGNotification[] notes = listener.unwrap(PGConnection.class).getNotifications(10_000);
                if (notes == null || notes.length == 0) break;
                for (PGNotification note : notes) heard.add(note.getParameter());
            }
            equal(heard, List.of("one", "zwei"));
        })));

        check("cancel, query timeout and statement_timeout", () -> session(db -> {
            for (String sql : new String[] { "select pg_sleep(60)", "select count(*) from generate_series(1, 1000000000000)" }) {
                try (Statement statement = db.createStatement()) {
                    statement.setQueryTimeout(1);
                    fails("57014", () -> statement.executeQuery(sql));
                }
                equal(one(db, "select 1"), 1);
            }
            run(db, "set statement_timeout to '100ms'");
            fails("57014", () -> one(db, "select count(*) from generate_series(1, ?::int8)", 1L << 40));
            equal(one(db, "select 1"), 1);
        }));

        check("SET, setSchema and client info hold for the reads that follow", () -> session(db -> {
            run(db, "set timezone to 'Asia/Tokyo'");
            equal(one(db, "select '2024-01-01 00:00+00'::timestamptz::text"), "2024-01-01 09:00:00+09");
            one(db, "select set_config('work_mem', ?, false)", "5MB");
            equal(one(db, "select current_setting('work_mem')"), "5MB");
            db.setClientInfo("ApplicationName", "a driver");
            equal(one(db, "select current_setting('application_name')"), "a driver");
            db.setSchema("public");
            fails("42P01", () -> one(db, "select count(*) from people"));
            db.setSchema(schema);
            equal((Long) one(db, "select count(*) from people") >= 0, true);
        }));

        check("temporary tables and DISCARD ALL", () -> session(db -> {
            run(db, "create temp table scratch as select n from generate_series(1, 5) n");
            for (int n = 0; n < 7; n++) equal(one(db, "select sum(n) from scratch"), 15);
            run(db, "discard all");
            fails("42P01", () -> one(db, "select sum(n) from scratch"));
            expectReader(one(db, "select current_setting('port')"));
        }));

        check("isValid, abort and a server of the right kind", () -> {
            session(db -> {
                equal(db.isValid(5), true);
                db.abort(Runnable::run);
                equal(db.isClosed(), true);
            });
            session(db -> equal(db.isValid(5), true), "targetServerType", "primary");
            fails("3D000", () -> DriverManager.getConnection("jdbc:postgresql://" + host + ":" + port + "/no_such_database?user=postgres"));
        });

        check("threads with a session each", () -> {
            ExecutorService threads = Executors.newFixedThreadPool(8);
            List<Future<Long>> answers = new ArrayList<>();
            for (int number = 0; number < 8; number++) {
                String name = "thread " + number;
                answers.add(threads.submit(() -> {
                    try (Connection db = connect()) {
                        for (int turn = 0; turn < 10; turn++) {
                            db.setAutoCommit(false);
                            one(db, "insert into people (name, age) values (?, ?)", name, turn);
                            equal(one(db, "select count(*) from people where name = ?", name), turn + 1);
                            db.commit();
                        }
                        return (Long) one(db, "select 1::int8");
                    }
                }));
            }
            for (Future<Long> answer : answers) equal(answer.get(), 1);
            threads.shutdown();
        });
    }
}
