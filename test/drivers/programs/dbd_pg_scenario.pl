# DBD::Pg: statements prepared by the driver on the server, transactions by AutoCommit, COPY, large objects, table_info.
use strict;
use warnings;
use utf8;
use DBI qw(:sql_types);
use DBD::Pg qw(:pg_types);
use Time::HiRes qw(sleep);
use FindBin;
use lib $FindBin::Bin;
use DbdPgSession;

$| = 1;
binmode STDOUT, ':encoding(UTF-8)';
{
    my $db = session();
    $db->do('create table people (id serial primary key, name text not null, age int, data bytea)');
    settle($db);
    $db->disconnect;
}

check 'connects, pings and tells about the server' => sub {
    my $db = session(PrintError => 0);
    equal(one($db, 'select 1'), 1);
    equal($db->ping > 0 ? 1 : 0, 1);
    equal($db->{pg_server_version} >= 140000 ? 1 : 0, 1);
    equal($db->{pg_db}, 'test');
    equal($db->state, '');
    $db->disconnect;
    equal($db->ping, 0);
    equal(defined DBI->connect("dbi:Pg:host=$host;port=$port;dbname=no_such_database", 'postgres', '', { RaiseError => 0, PrintError => 0 }) ? 1 : 0, 0);
    equal($DBI::errstr =~ /database "no_such_database" does not exist/ ? 1 : 0, 1);
};

check 'reads run where they should' => sub {
    for my $prepare (0, 1) {
        my $db = session(pg_server_prepare => $prepare);
        expect_reader(one($db, "select current_setting('port')"));
        expect_reader(one($db, "select current_setting('port') where ? = 1", 1)) for 1 .. 3;
        $db->begin_work;
        expect_reader(one($db, "select current_setting('port') where ? = 1", 1)) for 1 .. 3;
        $db->commit;
    }
};

check 'values of every kind' => sub {
    my $db = session();
    my $row = $db->selectrow_arrayref('select ?::int, ?::int8, ?::numeric, ?::text, ?::timestamptz at time zone \'UTC\', ?::float8, ?::jsonb, ?::uuid, ?::int', undef,
        42, '1099511627776', '12345678901234567890.123456789', "täxt €\n\\'\"", '2024-02-29 23:59:59.123456+00', 1.5, '{"a": [1, null]}', '01234567-89ab-cdef-0123-456789abcdef', undef);
    equal($row, [42, '1099511627776', '12345678901234567890.123456789', "täxt €\n\\'\"", '2024-02-29 23:59:59.123456', '1.5', '{"a": [1, null]}', '01234567-89ab-cdef-0123-456789abcdef', undef]);
    equal([one($db, "select true, false, array[1,null,3], array[['a','b\"c'],['{d}',null]]")], [1, 0, [1, undef, 3], [['a', 'b"c'], ['{d}', undef]]]);
    my $sth = $db->prepare('select ?::bytea, ?::text[]');
    my $bytes = join '', map { chr } 0 .. 255;
    $sth->bind_param(1, $bytes, { pg_type => PG_BYTEA });
    $sth->bind_param(2, ['a', undef, 'c,d']);
    $sth->execute;
    my ($got, $array) = $sth->fetchrow_array;
    equal(unpack('H*', $got), unpack('H*', $bytes));
    equal($array, ['a', undef, 'c,d']);
};

check 'prepared statements with all kinds of placeholders, reads and writes in turn' => sub {
    my $db = session();
    my $read = $db->prepare('select name from items where id = ?');
    my $write = $db->prepare('insert into people (name, age) values (:name, :age) returning id');
    my $change = $db->prepare('update people set age = $1 where id = $2');
    for my $n (1 .. 10) {
        $read->execute($n);
        equal($read->fetchall_arrayref, [["item $n"]]);
        $write->bind_param(':name', "turn $n");
        $write->bind_param(':age', $n, SQL_INTEGER);
        $write->execute;
        my ($id) = $write->fetchrow_array;
        equal($change->execute($n * 2, $id), 1);
    }
    settle($db);
    equal(one($db, "select sum(age) from people where name like 'turn %'"), 110);
    equal($read->{NUM_OF_PARAMS}, 1);
};

check 'statements prepared at once, with names and types of the columns' => sub {
    my $db = session(pg_prepare_now => 1);
    my $sth = $db->prepare("select id, name, 1.5::numeric(8,3) as n from items where id = ?");
    $sth->execute(1);
    equal($sth->{NAME}, ['id', 'name', 'n']);
    equal($sth->{pg_type}, ['int4', 'text', 'numeric']);
    equal([$sth->fetchrow_array], [1, 'item 1', '1.500']);
    $sth->finish;
    undef $sth;
    fails('42P01', sub { $db->prepare('select * from no_such_table where id = ?')->execute(1) });
    fails('42601', sub { $db->prepare('selec 1')->execute });
    equal(one($db, 'select 1'), 1);
};

check 'execute_array and execute_for_fetch' => sub {
    my $db = session(AutoCommit => 0);
    my $sth = $db->prepare('insert into people (name, age) values (?, ?)');
    my @status;
    equal($sth->execute_array({ ArrayTupleStatus => \@status }, [map { "array $_" } 1 .. 50], [1 .. 50]), 50);
    my @rows = map { ["fetch $_", $_] } 1 .. 50;
    equal($sth->execute_for_fetch(sub { shift @rows }), 50);
    equal(one($db, "select count(*) from people where name ~ '^(array|fetch) '"), 100);
    $db->rollback;
    equal(one($db, "select count(*) from people where name ~ '^(array|fetch) '"), 0);
    $db->rollback;
};

check 'last_insert_id, RETURNING and the number of rows' => sub {
    my $db = session();
    $db->do('insert into people (name) values (?)', undef, 'last');
    my $id = $db->last_insert_id(undef, $schema, 'people', undef);
    settle($db);
    equal(one($db, 'select name from people where id = ?', $id), 'last');
    my $sth = $db->prepare('delete from people where id = ? returning name');
    equal($sth->execute($id), 1);
    equal($sth->fetchrow_array, 'last');
    equal($db->do('delete from people where id = -1'), '0E0');
};

check 'transactions: own writes, rollback, begin_work' => sub {
    my ($db, $other) = (session(AutoCommit => 0), session());
    my $before = one($db, 'select count(*) from people');
    $db->do("insert into people (name) values ('own')");
    equal(one($db, 'select count(*) from people'), $before + 1);
    equal(one($other, "select count(*) from people where name = 'own'"), 0);
    $db->rollback;
    equal(one($db, 'select count(*) from people'), $before);
    $db->do("insert into people (name) values ('own')");
    $db->commit;
    settle($other);
    equal(one($other, "select count(*) from people where name = 'own'"), 1);
    $other->begin_work;
    $other->do("delete from people where name = 'own'");
    equal(one($other, "select count(*) from people where name = 'own'"), 0);
    $other->commit;
};

check 'an error ends the transaction, ping tells its state' => sub {
    my $db = session(AutoCommit => 0);
    equal($db->ping, 1);
    equal(one($db, 'select count(*) from items where id <= 3'), 3);
    equal($db->ping, 3);
    fails('22012', sub { one($db, 'select 1 / ?::int', 0) });
    equal($db->ping, 4);
    fails('25P02', sub { one($db, 'select 1') });
    $db->rollback;
    equal($db->ping, 1);
    fails('23505', sub { $db->do('insert into items values (?, ?)', undef, 1, 'twice') });
    equal($db->pg_error_field('constraint'), 'items_pkey');
    $db->rollback;
    equal(one($db, 'select 1'), 1);
    $db->rollback;
};

check 'savepoints by the driver' => sub {
    my $db = session(AutoCommit => 0);
    $db->do("insert into people (name) values ('kept')");
    $db->pg_savepoint('a');
    $db->do("insert into people (name) values ('dropped')");
    fails('42P01', sub { one($db, 'select * from no_such_table') });
    $db->pg_rollback_to('a');
    equal(one($db, "select string_agg(name, ',') from people where name in ('kept', 'dropped')"), 'kept');
    $db->pg_release('a');
    $db->rollback;
};

check 'isolation levels and read-only transactions' => sub {
    my $db = session(AutoCommit => 0);
    for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE') {
        $db->do("set transaction isolation level $level");
        equal(uc one($db, 'show transaction_isolation'), $level);
        equal(one($db, 'select count(*) from items where id <= 3'), 3);
        $db->rollback;
    }
    $db->{ReadOnly} = 1;
    equal(one($db, 'select count(*) from items where id <= 3'), 3);
    fails('25006', sub { $db->do("insert into people (name) values ('not')") });
    $db->rollback;
    $db->{ReadOnly} = 0;
    $db->do("insert into people (name) values ('yes')");
    $db->rollback;
};

check 'cursors by SQL: scrolling and WITH HOLD' => sub {
    my $db = session(AutoCommit => 0);
    $db->do('declare c scroll cursor for select id from items where id <= 100 order by id');
    equal($db->selectcol_arrayref('fetch 3 from c'), [1, 2, 3]);
    equal(one($db, 'fetch prior from c'), 2);
    equal(one($db, 'fetch absolute 91 from c'), 91);
    $db->do('declare held cursor with hold for select id from items where id <= 50 order by id');
    $db->commit;
    equal($db->selectcol_arrayref('fetch 2 from held'), [1, 2]);
    equal(one($db, 'select count(*) from items where id <= 50'), 50);
    $db->commit;
    equal($db->selectcol_arrayref('fetch 2 from held'), [3, 4]);
    $db->do('close held');
    $db->commit;
    fails('34000', sub { one($db, 'fetch 1 from c') });
    $db->rollback;
};

check 'COPY in and out' => sub {
    my $db = session();
    $db->do('create temp table copied (n int, name text)');
    $db->do('copy copied from stdin');
    $db->pg_putcopydata("$_\tline $_\n") for 1 .. 5000;
    equal($db->pg_putcopyend, 1);
    equal(one($db, 'select count(*) from copied'), 5000);
    $db->do('copy (select * from copied order by n) to stdout');
    my ($line, $text) = ('', '');
    $text .= $line while $db->pg_getcopydata($line) >= 0;
    equal($text, join '', map { "$_\tline $_\n" } 1 .. 5000);
    $db->do('copy (select id from items where id <= 2 order by id) to stdout');
    $text = '';
    $text .= $line while $db->pg_getcopydata($line) >= 0;
    equal($text, "1\n2\n");
    $db->do('copy copied from stdin');
    $db->pg_putcopydata("x\ty\n");
    fails('22P02', sub { $db->pg_putcopyend });
    equal(one($db, 'select 1'), 1);
};

check 'notices and warnings' => sub {
    my $db = session(PrintWarn => 1);
    my @heard;
    local $SIG{__WARN__} = sub { push @heard, $_[0] =~ s/\s+$//r };
    $db->do("do \$\$ begin raise notice 'first'; raise warning 'second'; end \$\$");
    equal([grep { /first|second/ } map { /((?:NOTICE|WARNING): +\w+)/ ? $1 : () } @heard], ['NOTICE:  first', 'WARNING:  second']);
};

check 'LISTEN and NOTIFY between sessions' => sub {
    my ($listener, $sender) = (session(), session(AutoCommit => 0));
    $listener->do("listen from_$schema");
    $sender->do("notify from_$schema, 'one'");
    $sender->do('select pg_notify(?, ?)', undef, "from_$schema", 'zwei');
    equal(one($listener, 'select 1'), 1);
    equal($listener->pg_notifies, undef);
    $sender->commit;
    my @heard;
    for (1 .. 500) {
        $listener->ping;
        while (my $note = $listener->pg_notifies) { push @heard, $note->[2] }
        last if @heard == 2;
        sleep 0.02;
    }
    equal(\@heard, ['one', 'zwei']);
};

check 'asynchronous queries and their cancel' => sub {
    my $db = session();
    $db->do('select count(*) from generate_series(1, 100)', { pg_async => PG_ASYNC });
    equal($db->pg_result, 1);
    my $sth = $db->prepare('select name from items where id = ?', { pg_async => PG_ASYNC });
    $sth->execute(1);
    equal($db->pg_result, 1);
    equal($sth->fetchrow_array, 'item 1');
    for my $sql ('select pg_sleep(60)', 'select count(*) from generate_series(1, 1000000000000)') {
        $db->do($sql, { pg_async => PG_ASYNC });
        sleep 0.3;
        equal($db->pg_cancel ? 1 : 0, 1);
        equal(one($db, 'select 1'), 1);
    }
    $db->do("set statement_timeout to '100ms'");
    fails('57014', sub { one($db, 'select count(*) from generate_series(1, ?::int8)', '1000000000000') });
    equal(one($db, 'show statement_timeout'), '100ms');
};

check 'large objects by the fast path' => sub {
    my $db = session(AutoCommit => 0);
    my $content = join('', map { chr } 0 .. 255) x 1000;
    my $oid = $db->pg_lo_creat($db->{pg_INV_WRITE} | $db->{pg_INV_READ});
    my $fd = $db->pg_lo_open($oid, $db->{pg_INV_WRITE});
    equal($db->pg_lo_write($fd, $content, length $content), length $content);
    $db->pg_lo_close($fd);
    $db->commit;
    $fd = $db->pg_lo_open($oid, $db->{pg_INV_READ});
    $db->pg_lo_lseek($fd, 1000, 0);
    my $buffer = '';
    equal($db->pg_lo_read($fd, $buffer, 300_000), length($content) - 1000);
    equal($buffer eq substr($content, 1000) ? 1 : 0, 1);
    $db->pg_lo_unlink($oid);
    $db->commit;
};

check 'table_info, column_info, primary_key_info, tables' => sub {
    my $db = session();
    equal($db->selectall_arrayref($db->table_info(undef, $schema, 'people', 'TABLE'))->[0][2], 'people');
    equal([map { $_->[3] } @{ $db->column_info(undef, $schema, 'people', undef)->fetchall_arrayref }], ['id', 'name', 'age', 'data']);
    equal($db->primary_key_info(undef, $schema, 'people')->fetchall_arrayref->[0][3], 'id');
    equal([$db->primary_key(undef, $schema, 'people')], ['id']);
    equal(scalar(grep { /people/ } $db->tables(undef, $schema, undef, 'TABLE')), 1);
    equal(scalar @{ $db->statistics_info(undef, $schema, 'people', 0, 0)->fetchall_arrayref } > 0 ? 1 : 0, 1);
    equal($db->get_info(18) =~ /^\d+\.\d+/ ? 1 : 0, 1);
};

check 'SET holds for the reads that follow' => sub {
    my $db = session();
    $db->do("set timezone to 'Asia/Tokyo'");
    equal(one($db, "select '2024-01-01 00:00+00'::timestamptz::text where ? = 1", 1), '2024-01-01 09:00:00+09');
    $db->do("select set_config('datestyle', 'German', false)");
    equal(one($db, "select '2024-12-31'::date::text"), '31.12.2024');
    $db->begin_work;
    $db->do("set local timezone to 'UTC'");
    equal(one($db, "select '2024-01-01 00:00+00'::timestamptz::text"), '01.01.2024 00:00:00 UTC');
    $db->rollback;
    equal(one($db, "select current_setting('timezone')"), 'Asia/Tokyo');
    $db->do('set search_path to public');
    fails('42P01', sub { one($db, 'select count(*) from people') });
};

check 'temporary tables and DISCARD ALL' => sub {
    my $db = session();
    $db->do('create temp table scratch as select n from generate_series(1, 5) n');
    equal(one($db, 'select sum(n) from scratch where n < ?', 10), 15) for 1 .. 2;
    $db->do('discard all');
    fails('42P01', sub { one($db, 'select sum(n) from scratch') });
    expect_reader(one($db, "select current_setting('port')"));
};

check 'a table is altered under a prepared statement' => sub {
    my ($db, $other) = (session(), session());
    $db->do('create table altered (a int)');
    $db->do('insert into altered values (1)');
    settle($db);
    my $sth = $db->prepare('select * from altered where a = ?');
    for (1 .. 2) { $sth->execute(1); equal($sth->fetchall_arrayref, [[1]]) }
    $other->do('alter table altered add column b int');
    settle($db);
    fails('0A000', sub { $sth->execute(1) });
    equal([one($db, 'select * from altered where a = ?', 1)], [1, undef]);
    $other->do('alter table altered drop column b');
    settle($db);
    $sth->execute(1);
    equal($sth->fetchall_arrayref, [[1]]);
};

check 'long texts and many columns' => sub {
    my $db = session();
    my $text = 'ä€' x 200_000;
    equal(one($db, 'select ?::text', $text) eq $text ? 1 : 0, 1);
    my @row = one($db, 'select ' . join ', ', map { "$_ as column_$_" } 1 .. 1600);
    equal(scalar @row, 1600);
    equal(one($db, 'select count(*) from items where id in (' . join(',', ('?') x 5000) . ') and id <= 100', 1 .. 5000), 100);
};

check 'several statements in one string' => sub {
    my $db = session();
    $db->do("insert into people (name) values ('several'); update people set age = 1 where name = 'several'");
    settle($db);
    equal(one($db, "select age from people where name = 'several'"), 1);
    fails('22012', sub { $db->do("insert into people (name) values ('taken back'); select 1/0") });
    equal(one($db, "select count(*) from people where name = 'taken back'"), 0);
};

check 'clones of a session' => sub {
    my $db = session();
    my @clones = map { $db->clone } 1 .. 5;
    equal([map { one($clones[$_], 'select ?::int', $_) } 0 .. 4], [0 .. 4]);
    $_->disconnect for @clones;
};

done();
