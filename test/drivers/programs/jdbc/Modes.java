// What is run in each of the ways in which the driver sends statements: unnamed and named, in text and in binary, simple.
import java.math.BigDecimal;
import java.sql.*;
import java.time.*;
import java.util.*;

class Modes extends Checks {
    /** The ways in which the driver sends statements. */
    static final Map<String, String[]> modes = new LinkedHashMap<>();
    static {
        modes.put("unnamed", new String[] { "prepareThreshold", "0" });
        modes.put("named at once", new String[] { "prepareThreshold", "1" });
        modes.put("named and binary", new String[] { "prepareThreshold", "-1" });
        modes.put("simple", new String[] { "preferQueryMode", "simple" });
        modes.put("extended for prepared", new String[] { "preferQueryMode", "extendedForPrepared", "prepareThreshold", "2" });
    }

    static void perMode(String mode, String[] parameters) {
        check(mode + ": reads run where they should", () -> session(db -> {
            for (boolean autocommit : new boolean[] { true, false }) {
                db.setAutoCommit(autocommit);
                try (PreparedStatement statement = db.prepareStatement("select current_setting('port') where ?")) {
                    // With its BEGIN in the same batch a first read may stay where the BEGIN goes.
                    if (!autocommit) one(statement, true);
                    for (int n = 0; n < 8; n++) expectReader(one(statement, true));
                }
            }
        }, parameters));

        check(mode + ": values of every kind", () -> session(db -> {
            byte[] bytes = new byte[256];
            for (int n = 0; n < 256; n++) bytes[n] = (byte) n;
            OffsetDateTime moment = OffsetDateTime.of(2024, 2, 29, 23, 59, 59, 123456000, ZoneOffset.UTC);
            UUID uuid = UUID.randomUUID();
            // The driver writes no good literal for bytes.
            boolean simple = mode.equals("simple");
            try (PreparedStatement statement = db.prepareStatement("select ?::int4, ?::int8, ?::numeric, ?::text, " + (simple ? "decode(?, 'hex')" : "?::bytea")
                + ", ?::timestamptz, ?::date, ?::float8, ?::bool, ?::uuid, ?::int4[], ?::text, ?::jsonb")) {
                for (int turn = 0; turn < 7; turn++) {
                    Object[] values = { 42, 1L << 40, new BigDecimal("12345678901234567890.123456789"), "täxt €\n\\'\"", bytes, moment, LocalDate.of(2024, 2, 29), 1.5, true, uuid };
                    for (int n = 0; n < values.length; n++) statement.setObject(n + 1, values[n]);
                    if (simple) statement.setString(5, HexFormat.of().formatHex(bytes));
                    statement.setArray(11, db.createArrayOf("int4", new Integer[] { 1, null, 3 }));
                    statement.setNull(12, Types.VARCHAR);
                    statement.setString(13, "{\"a\": [1, null]}");
                    try (ResultSet row = statement.executeQuery()) {
                        equal(row.next(), true);
                        equal(row.getInt(1), 42);
                        equal(row.getLong(2), 1L << 40);
                        equal(row.getBigDecimal(3), values[2]);
                        equal(row.getString(4), values[3]);
                        equal(row.getBytes(5), bytes);
                        equal(row.getObject(6, OffsetDateTime.class).toInstant(), moment.toInstant());
                        equal(row.getObject(7, LocalDate.class), values[6]);
                        equal(row.getDouble(8), 1.5);
                        equal(row.getBoolean(9), true);
                        equal(row.getObject(10), uuid);
                        equal(row.getArray(11).getArray(), new Integer[] { 1, null, 3 });
                        equal(row.getString(12) == null && row.wasNull(), true);
                        equal(row.getString(13), "{\"a\": [1, null]}");
                    }
                }
            }
        }, parameters));

        check(mode + ": reads and writes in turn, generated keys", () -> session(db -> {
            try (PreparedStatement read = db.prepareStatement("select name from items where id = ?");
                 PreparedStatement write = db.prepareStatement("insert into people (name, age) values (?, ?)", Statement.RETURN_GENERATED_KEYS);
                 PreparedStatement change = db.prepareStatement("update people set age = age + 1 where id = ?")) {
                for (int n = 1; n <= 8; n++) {
                    equal(one(read, n), "item " + n);
                    write.setString(1, mode);
                    write.setInt(2, n);
                    equal(write.executeUpdate(), 1);
                    try (ResultSet keys = write.getGeneratedKeys()) {
                        equal(keys.next(), true);
                        change.setInt(1, keys.getInt("id"));
                    }
                    equal(change.executeUpdate(), 1);
                }
            }
            settle(db);
            equal(one(db, "select sum(age) from people where name = ?", mode), 44);
        }, parameters));

        check(mode + ": a batch, and one that fails", () -> session(db -> {
            for (String rewrite : new String[] { "false", "true" }) batches(rewrite, parameters);
        }, parameters));

        check(mode + ": transactions, own writes, errors and savepoints", () -> session(db -> {
            db.setAutoCommit(false);
            equal(one(db, "select count(*) from items where id <= ?", 3), 3);
            run(db, "insert into people (name) values ('own')");
            equal(one(db, "select count(*) from people where name = ?", "own"), 1);
            Savepoint savepoint = db.setSavepoint("a");
            fails("23505", () -> one(db, "insert into items values (?, 'twice')", 1));
            fails("25P02", () -> one(db, "select 1"));
            db.rollback(savepoint);
            equal(one(db, "select count(*) from people where name = ?", "own"), 1);
            db.releaseSavepoint(savepoint);
            db.rollback();
            equal(one(db, "select count(*) from people where name = ?", "own"), 0);
            fails("22012", () -> one(db, "select 1 / ?::int", 0));
            db.rollback();
            equal(one(db, "select 1"), 1);
            db.commit();
        }, parameters));

        check(mode + ": fetch size in a transaction", () -> session(db -> {
            db.setAutoCommit(false);
            try (PreparedStatement statement = db.prepareStatement("select id from items where id <= ? order by id")) {
                statement.setFetchSize(30);
                for (int turn = 0; turn < 3; turn++) {
                    statement.setInt(1, 100);
                    try (ResultSet rows = statement.executeQuery()) {
                        for (int n = 1; n <= 100; n++) {
                            rows.next();
                            equal(rows.getInt(1), n);
                            // Something else between two portions.
                            if (n % 40 == 0) equal(one(db, "select name from items where id = ?", 1), "item 1");
                            if (n % 45 == 0) run(db, "insert into people (name) values ('between portions')");
                        }
                        equal(rows.next(), false);
                    }
                }
            }
            db.rollback();
        }, parameters));

        check(mode + ": a table is altered under a statement", () -> session(db -> session(other -> {
            run(db, "create table altered (a int)");
            run(db, "insert into altered values (1)");
            settle(db);
            try (PreparedStatement statement = db.prepareStatement("select * from altered where a = ?")) {
                for (int n = 0; n < 7; n++) equal(one(statement, 1), 1);
                run(other, "alter table altered add column b int");
                settle(db);
                // Outside of a transaction the driver prepares again and says nothing.
                for (int n = 0; n < 3; n++) {
                    try (ResultSet rows = statement.executeQuery()) { equal(rows.getMetaData().getColumnCount(), 2); }
                }
            }
            run(other, "drop table altered");
            settle(db);
        }), parameters));
    }

    static void batches(String rewrite, String[] parameters) throws Exception {
        String[] all = Arrays.copyOf(parameters, parameters.length + 2);
        all[parameters.length] = "reWriteBatchedInserts";
        all[parameters.length + 1] = rewrite;
        session(db -> {
            db.setAutoCommit(false);
            try (PreparedStatement statement = db.prepareStatement("insert into people (name, age) values (?, ?)")) {
                for (int n = 0; n < 300; n++) {
                    statement.setString(1, "batched");
                    statement.setInt(2, n);
                    statement.addBatch();
                }
                equal(statement.executeBatch().length, 300);
            }
            equal(one(db, "select count(*) from people where name = 'batched'"), 300);
            db.rollback();
            db.setAutoCommit(true);
            try (PreparedStatement statement = db.prepareStatement("insert into people (id, name) values (?, 'batched')")) {
                for (int n : new int[] { -1, -2, -1 }) {
                    statement.setInt(1, n);
                    statement.addBatch();
                }
                try {
                    statement.executeBatch();
                    throw new AssertionError("no error");
                } catch (BatchUpdateException error) {
                    equal(error.getSQLState(), "23505");
                }
            }
            settle(db);
            try (Statement statement = db.createStatement()) {
                for (String sql : new String[] { "insert into people (name) values ('mixed')", "update people set age = 1 where name = 'mixed'", "delete from people where name = 'mixed'" }) statement.addBatch(sql);
                equal(statement.executeBatch(), new int[] { 1, 1, 1 });
            }
            run(db, "delete from people where id < 0");
        }, all);
    }
}
