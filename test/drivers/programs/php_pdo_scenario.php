<?php
// PDO: named statements for each prepare(), or emulated; scrollable cursors by DECLARE; COPY, NOTIFY, large objects. Then pgsql's own functions.
declare(strict_types=1);
error_reporting(E_ALL & ~E_DEPRECATED);

[$host, $port, $schema, $reads, $primaryPort] = array_map('getenv', ['DRIVER_HOST', 'DRIVER_PORT', 'DRIVER_SCHEMA', 'DRIVER_READS', 'DRIVER_PRIMARY_PORT']);
$checks = 0;

function check(string $name, callable $code): void
{
    global $checks;
    $checks++;
    try {
        $code();
        echo "ok - $name\n";
    } catch (Throwable $error) {
        $line = $error->getLine();
        foreach ($error->getTrace() as $frame) if (($frame['function'] ?? '') === '{closure}') break; else $line = $frame['line'] ?? $line;
        echo "not ok - $name: line $line: ", preg_replace('/\s+/', ' ', $error->getMessage()), "\n";
    }
}

function equal(mixed $actual, mixed $expected): void
{
    if ($actual !== $expected) throw new Exception(substr(var_export($actual, true), 0, 300) . ' instead of ' . substr(var_export($expected, true), 0, 300));
}

function fails(string $state, callable $code): PDOException
{
    try {
        $code();
    } catch (PDOException $error) {
        if (($error->errorInfo[0] ?? '') !== $state) throw new Exception("{$error->getMessage()} instead of $state");
        return $error;
    }
    throw new Exception("no error instead of $state");
}

function session(array $options = [], string $database = 'test'): PDO
{
    global $host, $port, $schema;
    $db = new PDO("pgsql:host=$host;port=$port;dbname=$database", 'postgres', '', $options + [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
    $db->exec("set search_path to $schema, public");
    return $db;
}

function one(PDO $db, string $sql, array $values = [], array $options = []): mixed
{
    $statement = $db->prepare($sql, $options);
    $statement->execute($values);
    return $statement->fetchColumn();
}

function settle(PDO $db): void
{
    global $schema;
    $mark = random_int(1, 2 ** 60);
    $db->exec("insert into $schema.mark values ($mark)");
    for ($turn = 0; $turn < 1000; $turn++) {
        if ($db->query("select count(*) from $schema.mark where n = $mark")->fetchColumn() === 1) return;
        usleep(20_000);
    }
    throw new Exception('the standby does not follow');
}

function expectReader(mixed $found): void
{
    global $reads, $primaryPort;
    if ($reads === 'primary' && $found != $primaryPort || $reads === 'standby' && $found == $primaryPort) throw new Exception("read from port $found");
}

$db = session();
$db->exec('create table people (id serial primary key, name text not null, age int, alive bool, data bytea)');
settle($db);
unset($db);

$modes = [
    'prepared' => [],
    'emulated' => [PDO::ATTR_EMULATE_PREPARES => true],
    'not named' => [constant(class_exists('Pdo\Pgsql') ? 'Pdo\Pgsql::ATTR_DISABLE_PREPARES' : 'PDO::PGSQL_ATTR_DISABLE_PREPARES') => true],
];

check('connects and tells about the server', function () {
    global $host, $port;
    $db = session();
    equal($db->query('select 1')->fetchColumn(), 1);
    equal((int) $db->getAttribute(PDO::ATTR_SERVER_VERSION) >= 14, true);
    equal(str_contains($db->getAttribute(PDO::ATTR_CONNECTION_STATUS), 'OK'), true);
    $error = null;
    try { session([], 'no_such_database'); } catch (PDOException $error) { }
    equal(str_contains($error?->getMessage() ?? '', 'database "no_such_database" does not exist'), true);
});

foreach ($modes as $mode => $options) {
    check("$mode: reads run where they should", function () use ($options) {
        $db = session($options);
        for ($n = 0; $n < 3; $n++) expectReader(one($db, "select current_setting('port') where ? = 'x'", ['x']));
        $db->beginTransaction();
        // Prepared once: the DEALLOCATE that ends each statement counts as a write, and reads follow it to the primary.
        $statement = $db->prepare("select current_setting('port') where ? = 'x'");
        for ($n = 0; $n < 3; $n++) {
            $statement->execute(['x']);
            expectReader($statement->fetchColumn());
        }
        $db->commit();
    });

    check("$mode: values of every kind", function () use ($options) {
        $db = session($options);
        $statement = $db->prepare("select :i::int as i, :big::int8 as big, :n::numeric as n, :t::text as t, :z::timestamptz at time zone 'UTC' as z, :f::float8 as f, :b::bool as b, :null::int as nothing, :j::jsonb as j");
        $values = ['i' => 42, 'big' => 2 ** 40, 'n' => '12345678901234567890.123456789', 't' => "täxt €\n\\'\"?", 'z' => '2024-02-29 23:59:59.123456+00', 'f' => '1.5', 'j' => '{"a": [1, null]}'];
        foreach ($values as $name => $value) $statement->bindValue($name, $value, is_int($value) ? PDO::PARAM_INT : PDO::PARAM_STR);
        $statement->bindValue('b', true, PDO::PARAM_BOOL);
        $statement->bindValue('null', null, PDO::PARAM_NULL);
        $statement->execute();
        $row = $statement->fetch(PDO::FETCH_ASSOC);
        equal([$row['i'], $row['big'], $row['n'], $row['t'], $row['z'], (float) $row['f'], $row['b'], $row['nothing'], $row['j']],
            [42, 2 ** 40, $values['n'], $values['t'], '2024-02-29 23:59:59.123456', 1.5, true, null, '{"a": [1, null]}']);
    });

    check("$mode: bytea as a stream", function () use ($options) {
        $db = session($options);
        $bytes = implode('', array_map('chr', range(0, 255)));
        $statement = $db->prepare('insert into people (name, data) values (?, ?) returning data');
        $statement->bindValue(1, 'bytes');
        $statement->bindValue(2, $bytes, PDO::PARAM_LOB);
        $statement->execute();
        equal(stream_get_contents($statement->fetchColumn()), $bytes);
    });

    check("$mode: reads and writes in turn", function () use ($options, $mode) {
        $db = session($options);
        $read = $db->prepare('select name from items where id = ?');
        $write = $db->prepare('insert into people (name, age) values (:name, :age) returning id');
        for ($n = 1; $n <= 10; $n++) {
            $read->execute([$n]);
            equal($read->fetchAll(PDO::FETCH_COLUMN), ["item $n"]);
            $write->execute(['name' => "$mode turn", 'age' => $n]);
            equal($write->rowCount(), 1);
        }
        settle($db);
        equal(one($db, 'select sum(age) from people where name = ?', ["$mode turn"]), 55);
        $change = $db->prepare('update people set age = age + 1 where name = ?');
        $change->execute(["$mode turn"]);
        equal($change->rowCount(), 10);
    });

    check("$mode: transactions, errors and recovery", function () use ($options) {
        [$db, $other] = [session($options), session($options)];
        $db->beginTransaction();
        equal(one($db, 'select count(*) from items where id <= ?', [3]), 3);
        $db->exec("insert into people (name) values ('own')");
        equal(one($db, 'select count(*) from people where name = ?', ['own']), 1);
        equal(one($other, 'select count(*) from people where name = ?', ['own']), 0);
        $db->exec('savepoint a');
        fails('23505', fn () => one($db, "insert into items values (?, 'twice')", [1]));
        fails('25P02', fn () => one($db, 'select 1'));
        $db->exec('rollback to a');
        equal(one($db, 'select count(*) from people where name = ?', ['own']), 1);
        equal($db->inTransaction(), true);
        $db->rollBack();
        equal($db->inTransaction(), false);
        equal(one($db, 'select count(*) from people where name = ?', ['own']), 0);
        fails('22012', fn () => one($db, 'select 1 / ?::int', [0]));
        equal(one($db, 'select 1'), 1);
    });

    check("$mode: a table is altered under a statement", function () use ($options) {
        [$db, $other] = [session($options), session()];
        $db->exec('create table altered (a int)');
        $db->exec('insert into altered values (1)');
        settle($db);
        $statement = $db->prepare('select * from altered where a = ?');
        $statement->execute([1]);
        equal($statement->fetchAll(PDO::FETCH_NUM), [[1]]);
        $other->exec('alter table altered add column b int');
        settle($db);
        if ($options === []) fails('0A000', fn () => $statement->execute([1]));
        else {
            $statement->execute([1]);
            equal($statement->fetchAll(PDO::FETCH_NUM), [[1, null]]);
        }
        $other->exec('drop table altered');
        settle($db);
    });

    check("$mode: long texts, many columns", function () use ($options) {
        $db = session($options);
        $text = str_repeat('ä€', 200_000);
        equal(one($db, 'select ?::text', [$text]) === $text, true);
        $row = $db->query('select ' . implode(', ', array_map(fn ($n) => "$n as column_$n", range(1, 1600))))->fetch(PDO::FETCH_ASSOC);
        equal([count($row), $row['column_1600']], [1600, 1600]);
        equal(one($db, 'select count(*) from items where id in (' . implode(',', array_fill(0, 5000, '?')) . ') and id <= 100', range(1, 5000)), 100);
    });
}

check('lastInsertId of a sequence and of the session', function () {
    $db = session();
    $db->exec("insert into people (name) values ('last')");
    $id = $db->lastInsertId('people_id_seq');
    equal($db->lastInsertId(), $id);
    settle($db);
    equal(one($db, 'select name from people where id = ?', [$id]), 'last');
});

check('a scrollable cursor', function () {
    $db = session();
    $db->beginTransaction();
    $statement = $db->prepare('select id from items where id <= 100 order by id', [PDO::ATTR_CURSOR => PDO::CURSOR_SCROLL]);
    $statement->execute();
    equal($statement->fetch(PDO::FETCH_NUM), [1]);
    equal($statement->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_NEXT), [2]);
    equal($statement->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_ABS, 91), [91]);
    equal($statement->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_PRIOR), [90]);
    equal($statement->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_LAST), [100]);
    $statement->closeCursor();
    $db->exec('declare held cursor with hold for select id from items where id <= 50 order by id');
    $db->commit();
    equal($db->query('fetch 2 from held')->fetchAll(PDO::FETCH_COLUMN), [1, 2]);
    equal(one($db, 'select count(*) from items where id <= 50'), 50);
    equal($db->query('fetch 2 from held')->fetchAll(PDO::FETCH_COLUMN), [3, 4]);
});

check('isolation levels and read-only transactions', function () {
    $db = session();
    foreach (['read committed', 'repeatable read', 'serializable'] as $level) {
        $db->beginTransaction();
        $db->exec("set transaction isolation level $level");
        equal($db->query('show transaction_isolation')->fetchColumn(), $level);
        equal(one($db, 'select count(*) from items where id <= 3'), 3);
        $db->commit();
    }
    $db->exec('begin read only');
    equal(one($db, 'select count(*) from items where id <= 3'), 3);
    fails('25006', fn () => $db->exec("insert into people (name) values ('not')"));
    $db->exec('rollback');
    $db->exec('set session characteristics as transaction read only');
    fails('25006', fn () => $db->exec("insert into people (name) values ('not')"));
    equal(one($db, 'select count(*) from items where id <= 3'), 3);
});

check('COPY from and to arrays and files', function () {
    $db = session();
    $db->exec('create temp table copied (n int, name text)');
    $lines = array_map(fn ($n) => "$n\tline $n\n", range(1, 2000));
    [$from, $to, $file] = class_exists('Pdo\Pgsql') && $db instanceof Pdo\Pgsql ? ['copyFromArray', 'copyToArray', 'copyToFile'] : ['pgsqlCopyFromArray', 'pgsqlCopyToArray', 'pgsqlCopyToFile'];
    equal($db->$from('copied', $lines), true);
    equal($db->$to('copied'), $lines);
    $path = tempnam(sys_get_temp_dir(), 'copy');
    equal($db->$file('items', $path, "\t", "\\\\N", 'id,name'), true);
    equal(count(file($path)) >= 100, true);
    unlink($path);
    fails('22P02', fn () => $db->$from('copied', ["x\ty\n"]));
    equal(one($db, 'select count(*) from copied'), 2000);
});

check('LISTEN and NOTIFY between sessions', function () {
    global $schema;
    [$listener, $sender] = [session(), session()];
    $listener->exec("listen from_$schema");
    $sender->beginTransaction();
    $sender->exec("notify from_$schema, 'one'");
    one($sender, 'select pg_notify(?, ?)', ["from_$schema", 'zwei']);
    $get = method_exists($listener, 'getNotify') ? 'getNotify' : 'pgsqlGetNotify';
    equal($listener->$get(PDO::FETCH_ASSOC, 100), false);
    $sender->commit();
    $heard = [];
    while (count($heard) < 2 && ($note = $listener->$get(PDO::FETCH_ASSOC, 10_000)) !== false) $heard[] = $note['payload'];
    equal($heard, ['one', 'zwei']);
});

check('large objects as streams', function () {
    $db = session();
    $content = str_repeat(implode('', array_map('chr', range(0, 255))), 1000);
    [$create, $open, $unlink] = class_exists('Pdo\Pgsql') && $db instanceof Pdo\Pgsql ? ['lobCreate', 'lobOpen', 'lobUnlink'] : ['pgsqlLOBCreate', 'pgsqlLOBOpen', 'pgsqlLOBUnlink'];
    $db->beginTransaction();
    $oid = $db->$create();
    $stream = $db->$open($oid, 'w');
    fwrite($stream, $content);
    fclose($stream);
    $db->commit();
    $db->beginTransaction();
    $stream = $db->$open($oid, 'r');
    fseek($stream, 1000);
    equal(stream_get_contents($stream) === substr($content, 1000), true);
    fclose($stream);
    $db->$unlink($oid);
    $db->commit();
});

check('SET holds for the reads that follow', function () {
    $db = session();
    $db->exec("set timezone to 'Asia/Tokyo'");
    equal(one($db, "select '2024-01-01 00:00+00'::timestamptz::text"), '2024-01-01 09:00:00+09');
    one($db, "select set_config('datestyle', ?, false)", ['German']);
    equal(one($db, "select '2024-12-31'::date::text"), '31.12.2024');
    $db->exec("set statement_timeout to '100ms'");
    fails('57014', fn () => one($db, 'select count(*) from generate_series(1, 1000000000000)'));
    $db->exec('reset all');
    equal(one($db, 'show statement_timeout'), '0');
    fails('42P01', fn () => one($db, 'select count(*) from people'));
});

check('temporary tables and DISCARD ALL', function () {
    $db = session();
    $db->exec('create temp table scratch as select n from generate_series(1, 5) n');
    for ($n = 0; $n < 2; $n++) equal(one($db, 'select sum(n) from scratch where n < ?', [10]), 15);
    $db->exec('discard all');
    fails('42P01', fn () => one($db, 'select sum(n) from scratch'));
    expectReader($db->query("select current_setting('port')")->fetchColumn());
});

check('persistent connections are used again', function () {
    $first = session([PDO::ATTR_PERSISTENT => true]);
    $first->exec('create temp table mine (n int)');
    $again = session([PDO::ATTR_PERSISTENT => true]);
    equal($again->query('select count(*) from mine')->fetchColumn(), 0);
    equal($again->query('select count(*) from items where id <= 3')->fetchColumn(), 3);
});

check('several statements in one string, columns are described', function () {
    $db = session();
    $db->exec("insert into people (name) values ('several'); update people set age = 1 where name = 'several'");
    settle($db);
    equal(one($db, "select age from people where name = 'several'"), 1);
    fails('22012', fn () => $db->exec("insert into people (name) values ('taken back'); select 1/0"));
    equal(one($db, "select count(*) from people where name = 'taken back'"), 0);
    $meta = $db->query("select id, name from people")->getColumnMeta(1);
    equal([$meta['name'], $meta['native_type'], $meta['table']], ['name', 'text', 'people']);
});

check('the functions pg_*: parameters, prepared, asynchronous, cancel, copy, notices', function () {
    global $host, $port;
    $link = pg_connect("host=$host port=$port user=postgres dbname=test");
    equal(pg_fetch_all_columns(pg_query_params($link, 'select name from items where id = $1', [1])), ['item 1']);
    pg_prepare($link, 'by_id', 'select name from items where id = $1');
    for ($n = 1; $n <= 3; $n++) equal(pg_fetch_result(pg_execute($link, 'by_id', [$n]), 0, 0), "item $n");
    pg_send_query($link, 'select 1; select 2; select 3');
    $seen = [];
    while ($result = pg_get_result($link)) $seen[] = pg_fetch_result($result, 0, 0);
    equal($seen, ['1', '2', '3']);
    pg_send_query($link, 'select count(*) from generate_series(1, 1000000000000)');
    usleep(300_000);
    pg_cancel_query($link);
    equal(pg_fetch_result(pg_query($link, 'select 4'), 0, 0), '4');
    pg_query($link, 'create temp table copied (n int)');
    pg_query($link, 'copy copied from stdin');
    pg_put_line($link, "1\n");
    pg_put_line($link, "2\n\\.\n");
    equal(pg_end_copy($link), true);
    equal(pg_copy_to($link, 'copied'), ["1\n", "2\n"]);
    pg_query($link, "do $$ begin raise notice 'heard'; end $$");
    equal(pg_last_notice($link), 'NOTICE:  heard');
    equal(pg_transaction_status($link), PGSQL_TRANSACTION_IDLE);
    equal(pg_ping($link), true);
    pg_close($link);
});

echo "1..$checks\n";
