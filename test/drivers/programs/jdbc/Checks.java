// How the scenario of JDBC connects, and how it reports.
import java.sql.*;
import java.util.*;
import java.util.concurrent.ThreadLocalRandom;

class Checks {
    static final String host = System.getenv("DRIVER_HOST"), port = System.getenv("DRIVER_PORT"), schema = System.getenv("DRIVER_SCHEMA");
    static final String reads = System.getenv("DRIVER_READS"), primaryPort = System.getenv("DRIVER_PRIMARY_PORT");
    static int checks = 0;

    interface Code { void run() throws Exception; }
    interface Use { void run(Connection db) throws Exception; }

    static void check(String name, Code code) {
        checks++;
        try {
            code.run();
            System.out.println("ok - " + name);
        } catch (Throwable error) {
            String line = "";
            for (StackTraceElement at : error.getStackTrace()) if (at.getMethodName().startsWith("lambda$") && !at.getMethodName().equals("run")) { line = "line " + at.getLineNumber() + ": "; break; }
            System.out.println("not ok - " + name + ": " + line + String.valueOf(error).replaceAll("\\s+", " "));
        }
    }

    static void equal(Object actual, Object expected) {
        if (actual instanceof Integer n) actual = n.longValue();
        if (expected instanceof Integer n) expected = n.longValue();
        if (!Objects.deepEquals(actual, expected)) throw new AssertionError(actual + " instead of " + expected);
    }

    static SQLException fails(String state, Code code) throws Exception {
        try {
            code.run();
        } catch (SQLException error) {
            if (!state.equals(error.getSQLState())) throw new AssertionError(error.getSQLState() + " (" + error.getMessage() + ") instead of " + state);
            return error;
        }
        throw new AssertionError("no error instead of " + state);
    }

    /** Parameters as name, value, name, value. */
    static Connection connect(String... parameters) throws SQLException {
        StringBuilder url = new StringBuilder("jdbc:postgresql://" + host + ":" + port + "/test?user=postgres&currentSchema=" + schema + ",public");
        for (int i = 0; i < parameters.length; i += 2) url.append('&').append(parameters[i]).append('=').append(parameters[i + 1]);
        return DriverManager.getConnection(url.toString());
    }

    static void session(Use use, String... parameters) throws Exception {
        try (Connection db = connect(parameters)) { use.run(db); }
    }

    static Object one(Connection db, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = db.prepareStatement(sql)) { return one(statement, values); }
    }

    static Object one(PreparedStatement statement, Object... values) throws SQLException {
        for (int i = 0; i < values.length; i++) statement.setObject(i + 1, values[i]);
        if (!statement.execute()) return statement.getUpdateCount();
        try (ResultSet rows = statement.getResultSet()) { return rows.next() ? rows.getObject(1) : null; }
    }

    static void run(Connection db, String sql) throws SQLException {
        try (Statement statement = db.createStatement()) { statement.execute(sql); }
    }

    static void settle(Connection db) throws Exception {
        long mark = ThreadLocalRandom.current().nextLong(1L << 60);
        run(db, "insert into " + schema + ".mark values (" + mark + ")");
        for (int turn = 0; turn < 1000; turn++) {
            if ((Long) one(db, "select count(*) from " + schema + ".mark where n = " + mark) == 1) return;
            Thread.sleep(20);
        }
        throw new AssertionError("the standby does not follow");
    }

    static void expectReader(Object found) {
        boolean onPrimary = String.valueOf(found).equals(primaryPort);
        if (reads.equals("primary") && !onPrimary || reads.equals("standby") && onPrimary) throw new AssertionError("read from port " + found);
    }
}
