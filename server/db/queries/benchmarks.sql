-- name: list_benchmarks
-- `protocols`: the one that ranks, then those that the present content computes beside it.
select b.id, b.title, b.description, b.kind, b.protocol, b.dimensions, b.ranked_by, b.operations, b.source_url,
       b.current_version, b.missing_instruments,
       array[b.protocol] || array(select jsonb_array_elements_text(v.manifest -> 'beside')) as protocols
from benchmarks b
left join benchmark_versions v on v.benchmark_id = b.id and v.version = b.current_version
order by b.position, b.id;

-- name: get_benchmark
select b.id, b.title, b.description, b.kind, b.protocol, b.dimensions, b.ranked_by, b.operations, b.source_url,
       b.current_version, b.missing_instruments,
       array[b.protocol] || array(select jsonb_array_elements_text(v.manifest -> 'beside')) as protocols
from benchmarks b
left join benchmark_versions v on v.benchmark_id = b.id and v.version = b.current_version
where b.id = %(id)s;

-- name: list_subsets
select benchmark_id, id, title, samples from subsets order by benchmark_id, position;

-- name: subsets_of
select benchmark_id, id, title, samples from subsets where benchmark_id = %(benchmark_id)s order by position;

-- name: get_version
select benchmark_id, version, manifest, public_key, hidden_key, detector, judge
from benchmark_versions where benchmark_id = %(benchmark_id)s and version = %(version)s;

-- name: put_benchmark
insert into benchmarks (id, title, description, kind, protocol, dimensions, ranked_by, operations, source_url, position)
values (%(id)s, %(title)s, %(description)s, %(kind)s, %(protocol)s, %(dimensions)s, %(ranked_by)s, %(operations)s,
        %(source_url)s, %(position)s)
on conflict (id) do update set
    title = excluded.title, description = excluded.description, protocol = excluded.protocol,
    dimensions = excluded.dimensions, ranked_by = excluded.ranked_by, operations = excluded.operations,
    source_url = excluded.source_url, position = excluded.position;

-- name: put_subset
insert into subsets (benchmark_id, id, title, samples, position)
values (%(benchmark_id)s, %(id)s, %(title)s, %(samples)s, %(position)s)
on conflict (benchmark_id, id) do update set
    title = excluded.title, samples = excluded.samples, position = excluded.position;

-- name: drop_other_subsets
-- What the present content no longer has would otherwise stand empty on every board, and no entry would have it all.
delete from subsets where benchmark_id = %(benchmark_id)s and not id = any(%(ids)s::text[]);

-- name: add_version
insert into benchmark_versions (benchmark_id, version, manifest, public_key, hidden_key, detector, judge)
values (%(benchmark_id)s, %(version)s, %(manifest)s, %(public_key)s, %(hidden_key)s, %(detector)s, %(judge)s)
on conflict do nothing;

-- name: set_current_version
update benchmarks set current_version = %(version)s where id = %(id)s and current_version is distinct from %(version)s;

-- name: set_missing_instruments
update benchmarks set missing_instruments = %(missing)s where id = %(id)s and missing_instruments <> %(missing)s;
