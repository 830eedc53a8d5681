// Logs in with JDBC for each line `port TAB database TAB user TAB tls TAB password` (`-` for none) of standard input and says
// for each `user` or `! SQLSTATE message`.
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.util.*;
import java.util.concurrent.*;

class Logins {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        ExecutorService lanes = Executors.newFixedThreadPool(Integer.parseInt(args[0]));
        List<Future<String>> answers = new ArrayList<>();
        for (String line; (line = in.readLine()) != null;) {
            String[] fields = line.split("\t", -1);
            answers.add(lanes.submit(() -> login(fields)));
        }
        PrintStream out = new PrintStream(System.out, false, "UTF-8");
        for (Future<String> answer : answers) out.println(answer.get());
        out.flush();
        lanes.shutdown();
    }

    static String login(String[] fields) {
        Properties properties = new Properties();
        properties.setProperty("user", fields[2]);
        properties.setProperty("sslmode", fields[3].equals("true") ? "require" : "disable");
        if (!fields[4].equals("-")) properties.setProperty("password", fields[4]);
        properties.setProperty("loginTimeout", "20");
        try (Connection db = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + fields[0] + "/" + fields[1], properties);
             Statement statement = db.createStatement();
             ResultSet rows = statement.executeQuery("select current_user")) {
            rows.next();
            return rows.getString(1);
        } catch (SQLException error) {
            return "! " + error.getSQLState() + " " + String.valueOf(error.getMessage()).replaceAll("\\s+", " ");
        }
    }
}
