# ruby-pg: exec, exec_params, prepared, single-row mode, pipelines, type maps, COPY with coders, notifications, threads.
require 'bigdecimal'
require_relative 'ruby_pg_session'

session do |db|
  db.exec('create table people (id serial primary key, name text not null, age int)')
  settle(db)
end

check 'connects by URI, by a hash, and asynchronously' do
  session { |db| equal([one(db, 'select 1'), db.db, db.user, db.server_version >= 140_000], ['1', 'test', 'postgres', true]) }
  db = PG.connect(host: HOST, port: PORT.to_i, dbname: 'test', user: 'postgres', application_name: 'a driver', options: '-c work_mem=5MB')
  equal([one(db, 'show work_mem'), one(db, "select current_setting('application_name')")], ['5MB', 'a driver'])
  db.reset
  equal(one(db, "select current_setting('work_mem')"), '5MB')
  db.close
  begin
    PG.connect(host: HOST, port: PORT.to_i, dbname: 'no_such_database', user: 'postgres')
    raise 'let in'
  rescue PG::ConnectionBad => e
    equal(e.message.include?('database "no_such_database" does not exist'), true)
  end
  equal(PG::Connection.ping(URI_TEXT), PG::PQPING_OK)
end

check 'reads run where they should' do
  session do |db|
    expect_reader(one(db, "select current_setting('port')"))
    db.prepare('port', "select current_setting('port') where $1")
    3.times { expect_reader(db.exec_prepared('port', [true]).getvalue(0, 0)) }
    db.transaction { expect_reader(one(db, "select current_setting('port') where $1", [true])) }
  end
end

check 'values of every kind by type maps, in text and in binary' do
  values = [nil, true, 42, 2**40, 1.5, BigDecimal('12345678901234567890.123456789'), "täxt €\n\\'\""]
  session do |db|
    db.type_map_for_queries = PG::BasicTypeMapForQueries.new(db)
    db.type_map_for_results = PG::BasicTypeMapForResults.new(db)
    [0, 1].each do |format|
      row = db.exec_params('select $1::int, $2::bool, $3::int, $4::int8, $5::float8, $6::numeric, $7::text', values, format).values.first
      row[5] = BigDecimal('12345678901234567890.123456789') if format == 1 && row[5].is_a?(String)
      equal(row, values)
    end
    equal(db.exec("select array[1,null,3], '2024-02-29 23:59:59.123456+00'::timestamptz, '{\"a\": [1, null]}'::json").values.first,
          [[1, nil, 3], Time.utc(2024, 2, 29, 23, 59, 59, 123_456), { 'a' => [1, nil] }])
    equal(db.exec_params('select $1::int[]', [[1, 2, 3]]).getvalue(0, 0), [1, 2, 3])
  end
  session do |db|
    bytes = (0..255).to_a.pack('C*')
    equal(db.exec_params('select $1::bytea', [{ value: bytes, format: 1 }], 1).getvalue(0, 0), bytes)
    equal(db.unescape_bytea(one(db, "select '#{db.escape_bytea(bytes)}'::bytea")), bytes)
  end
end

check 'prepared statements: reads and writes in turn, described, deallocated' do
  session do |db|
    db.prepare('read', 'select name from items where id = $1')
    db.prepare('write', 'insert into people (name, age) values ($1, $2) returning age')
    (1..10).each do |n|
      equal(db.exec_prepared('read', [n]).values, [["item #{n}"]])
      equal(db.exec_prepared('write', ['turn', n]).values, [[n.to_s]])
    end
    described = db.describe_prepared('read')
    equal([described.nparams, described.fields, described.paramtype(0)], [1, ['name'], 23])
    fails('42P05') { db.prepare('read', 'select 1') }
    db.exec('deallocate read')
    fails('26000') { db.exec_prepared('read', [1]) }
    db.prepare('read', 'select 7')
    equal(db.exec_prepared('read').values, [['7']])
    settle(db)
    equal(one(db, "select sum(age) from people where name = 'turn'"), '55')
  end
end

check 'transaction blocks and their errors' do
  session do |db|
    session do |other|
      before = one(db, 'select count(*) from people').to_i
      db.transaction do
        equal(one(db, 'select count(*) from items where id <= 3'), '3')
        db.exec("insert into people (name) values ('own')")
        equal(one(db, 'select count(*) from people').to_i, before + 1)
        equal(one(other, "select count(*) from people where name = 'own'"), '0')
      end
      settle(other)
      equal(one(other, "select count(*) from people where name = 'own'"), '1')
    end
    fails('22012') do
      db.transaction do
        db.exec("insert into people (name) values ('taken back')")
        db.exec_params('select 1 / $1::int', [0])
      end
    end
    equal(one(db, "select count(*) from people where name = 'taken back'"), '0')
    db.exec('begin')
    fails('23505') { db.exec_params('insert into items values ($1, $2)', [1, 'twice']) }
    equal(db.transaction_status, PG::PQTRANS_INERROR)
    fails('25P02') { db.exec('select 1') }
    db.exec('rollback')
    equal(db.transaction_status, PG::PQTRANS_IDLE)
  end
end

check 'savepoints' do
  session do |db|
    db.transaction do
      db.exec("insert into people (name) values ('kept'); savepoint a; insert into people (name) values ('dropped')")
      fails('42P01') { db.exec('select * from no_such_table') }
      db.exec('rollback to a')
      equal(one(db, "select string_agg(name, ',') from people where name in ('kept', 'dropped')"), 'kept')
      db.exec('release a')
      equal(one(db, "select string_agg(name, ',') from people where name in ('kept', 'dropped')"), 'kept')
    end
  end
end

check 'isolation levels and read-only transactions' do
  session do |db|
    ['read committed', 'repeatable read', 'serializable'].each do |level|
      db.exec("begin isolation level #{level}")
      equal(one(db, 'show transaction_isolation'), level)
      equal(one(db, 'select count(*) from items where id <= 3'), '3')
      db.exec('commit')
    end
    db.exec('begin read only')
    equal(one(db, 'select count(*) from items where id <= 3'), '3')
    fails('25006') { db.exec("insert into people (name) values ('not')") }
    db.exec('rollback')
    db.exec('set default_transaction_read_only to on')
    equal(one(db, 'select count(*) from items where id <= 3'), '3')
    fails('25006') { db.exec("insert into people (name) values ('not')") }
  end
end

check 'several results of one string' do
  session do |db|
    db.send_query("select 1; insert into people (name) values ('several'); select 3")
    seen = []
    while (result = db.get_result)
      seen << (result.ntuples.positive? ? result.getvalue(0, 0) : result.cmd_status)
    end
    equal(seen, ['1', 'INSERT 0 1', '3'])
    fails('22012') { db.exec("insert into people (name) values ('taken back'); select 1/0") }
    equal(one(db, "select count(*) from people where name = 'taken back'"), '0')
    equal(db.exec('').result_status, PG::PGRES_EMPTY_QUERY)
  end
end

check 'single-row mode' do
  session do |db|
    db.send_query('select n from generate_series(1, 5000) n')
    db.set_single_row_mode
    equal(db.get_result.stream_each.sum { |row| row['n'].to_i }, 12_502_500)
    db.get_result
    equal(one(db, 'select 1'), '1')
  end
end

check 'pipelines of reads and writes' do
  session do |db|
    db.enter_pipeline_mode
    30.times do |n|
      if n % 3 == 1 then db.send_query_params("insert into people (name, age) values ('pipe', $1) returning age", [n])
      else db.send_query_params('select $1::int', [n]) end
      db.pipeline_sync
    end
    seen = []
    30.times do
      seen << db.get_result.getvalue(0, 0).to_i
      equal(db.get_result, nil)
      equal(db.get_result.result_status, PG::PGRES_PIPELINE_SYNC)
    end
    equal(seen, (0...30).to_a)
    db.send_query_params('select 1 / $1::int', [0])
    db.send_query_params('select 2', [])
    db.pipeline_sync
    fails('22012') { db.get_result.check }
    db.get_result
    equal(db.get_result.result_status, PG::PGRES_PIPELINE_ABORTED)
    db.get_result
    equal(db.get_result.result_status, PG::PGRES_PIPELINE_SYNC)
    db.exit_pipeline_mode
    equal(one(db, 'select 1'), '1')
  end
end

check 'cursors: scrolling and WITH HOLD' do
  session do |db|
    db.transaction do
      db.exec('declare c scroll cursor for select id from items where id <= 100 order by id')
      equal(db.exec('fetch 3 from c').column_values(0), %w[1 2 3])
      equal(one(db, 'fetch prior from c'), '2')
      equal(one(db, 'fetch absolute 91 from c'), '91')
      db.exec('declare held cursor with hold for select id from items where id <= 50 order by id')
    end
    equal(db.exec('fetch 2 from held').column_values(0), %w[1 2])
    equal(one(db, 'select count(*) from items where id <= 50'), '50')
    equal(db.exec('fetch 2 from held').column_values(0), %w[3 4])
    fails('34000') { db.exec('fetch 1 from c') }
  end
end

check 'COPY in and out, in text and in binary' do
  session do |db|
    db.exec('create temp table copied (n int, name text)')
    coder = PG::TextEncoder::CopyRow.new
    db.copy_data('copy copied from stdin', coder) { 3000.times { |n| db.put_copy_data([n.to_s, "line\t#{n}"]) } }
    equal(one(db, 'select count(*) from copied'), '3000')
    rows = []
    db.copy_data('copy (select * from copied order by n) to stdout', PG::TextDecoder::CopyRow.new) { while (row = db.get_copy_data) do rows << row end }
    equal([rows.size, rows.last], [3000, ['2999', "line\t2999"]])
    blocks = []
    db.copy_data('copy (select id from items where id <= 3 order by id) to stdout (format binary)') { while (block = db.get_copy_data) do blocks << block end }
    equal(blocks.join.bytesize, 19 + 3 * 10 + 2)
    fails('22P02') { db.copy_data('copy copied from stdin') { db.put_copy_data("x\ty\n") } }
    begin
      db.copy_data('copy copied from stdin') { db.put_copy_data("1\tone\n"); raise ArgumentError, 'enough' }
    rescue ArgumentError, PG::Error
      equal(one(db, 'select count(*) from copied'), '3000')
    end
  end
end

check 'notices' do
  session do |db|
    heard = []
    db.set_notice_processor { |text| heard << text.strip }
    db.exec("do $$ begin raise notice 'first'; raise warning 'second'; end $$")
    equal(heard.map { |text| text.lines.first.strip }, ['NOTICE:  first', 'WARNING:  second'])
  end
end

check 'LISTEN and NOTIFY between sessions' do
  session do |listener|
    session do |sender|
      listener.exec("listen from_#{SCHEMA}")
      sender.exec('begin')
      sender.exec("notify from_#{SCHEMA}, 'one'")
      sender.exec_params('select pg_notify($1, $2)', ["from_#{SCHEMA}", 'zwei'])
      equal(listener.wait_for_notify(0.1), nil)
      sender.exec('commit')
      heard = []
      2.times { listener.wait_for_notify(10) { |_, _, payload| heard << payload } }
      equal(heard, %w[one zwei])
    end
  end
end

check 'cancel and statement_timeout' do
  ['select pg_sleep(60)', 'select count(*) from generate_series(1, 1000000000000)'].each do |sql|
    session do |db|
      db.send_query(sql)
      sleep 0.3
      equal(db.cancel, nil)
      fails('57014') { db.get_last_result }
      equal(one(db, 'select 1'), '1')
    end
  end
  session do |db|
    db.exec("set statement_timeout to '100ms'")
    fails('57014') { one(db, 'select count(*) from generate_series(1, $1::int8)', [10**12]) }
    equal(one(db, 'select 1'), '1')
  end
end

check 'large objects by the fast path' do
  content = (0..255).to_a.pack('C*') * 1000
  session do |db|
    oid = db.transaction do
      oid = db.lo_creat
      lo = db.lo_open(oid, PG::INV_WRITE)
      equal(db.lo_write(lo, content), content.bytesize)
      db.lo_close(lo)
      oid
    end
    db.transaction do
      lo = db.lo_open(oid, PG::INV_READ)
      db.lo_lseek(lo, 1000, PG::SEEK_SET)
      equal(db.lo_read(lo, 300_000) == content[1000..], true)
      equal(db.lo_tell(lo), content.bytesize)
      db.lo_unlink(oid)
    end
  end
end

check 'SET holds for the reads that follow' do
  session do |db|
    db.exec("set timezone to 'Asia/Tokyo'")
    equal(one(db, "select '2024-01-01 00:00+00'::timestamptz::text"), '2024-01-01 09:00:00+09')
    one(db, "select set_config('datestyle', $1, false)", ['German'])
    equal(one(db, "select '2024-12-31'::date::text"), '31.12.2024')
    db.internal_encoding = 'ISO-8859-1'
    db.set_client_encoding('LATIN1')
    equal(one(db, "select 'ä'").bytes.size, 1)
    db.set_client_encoding('UTF8')
    db.exec('set search_path to public')
    fails('42P01') { db.exec('select count(*) from people') }
    equal(db.parameter_status('TimeZone'), 'Asia/Tokyo')
  end
end

check 'temporary tables and DISCARD ALL' do
  session do |db|
    db.exec('create temp table scratch as select n from generate_series(1, 5) n')
    db.prepare('sum', 'select sum(n) from scratch')
    2.times { equal(db.exec_prepared('sum').getvalue(0, 0), '15') }
    db.exec('discard all')
    expect_reader(one(db, "select current_setting('port')"))
    fails('42P01') { db.exec('select * from scratch') }
    expect_reader(one(db, "select current_setting('port')"))
    fails('26000') { db.exec_prepared('sum') }
  end
end

check 'a table is altered under a prepared statement' do
  session do |db|
    session do |other|
      db.exec('create table altered (a int); insert into altered values (1)')
      settle(db)
      db.prepare('everything', 'select * from altered')
      2.times { equal(db.exec_prepared('everything').values, [['1']]) }
      other.exec('alter table altered add column b int')
      settle(db)
      fails('0A000') { db.exec_prepared('everything') }
      db.exec('deallocate everything')
      db.prepare('everything', 'select * from altered')
      equal(db.exec_prepared('everything').values, [['1', nil]])
    end
  end
end

check 'long texts, many columns, many parameters' do
  session do |db|
    text = 'ä€' * 200_000
    equal(one(db, 'select $1::text', [text]) == text, true)
    equal(db.exec("select #{(1..1600).map { |n| "#{n} as column_#{n}" }.join(', ')}").nfields, 1600)
    list = (1..20_000).map { |n| "$#{n}" }.join(',')
    equal(one(db, "select count(*) from items where id in (#{list}) and id <= 100", (1..20_000).to_a), '100')
  end
end

check 'threads with a session each' do
  threads = Array.new(8) do |number|
    Thread.new do
      session do |db|
        (0...10).map do |turn|
          db.transaction do
            db.exec_params("insert into people (name, age) values ($1, $2)", ["thread #{number}", turn])
            one(db, 'select count(*) from people where name = $1', ["thread #{number}"]).to_i
          end
        end
      end
    end
  end
  equal(threads.map(&:value), [(1..10).to_a] * 8)
end

check 'columns are described' do
  session do |db|
    result = db.exec("select id, name, 1.5::numeric(8,3) as n from items where id = 1")
    equal([result.fields, result.ftype(0), result.ftype(1), result.fmod(2)], [%w[id name n], 23, 25, (8 << 16 | 3) + 4])
    table = db.exec("select oid from pg_class where relname = 'items'").getvalue(0, 0).to_i
    equal(result.ftable(1), table)
  end
end

puts "1..#{$checks}"
