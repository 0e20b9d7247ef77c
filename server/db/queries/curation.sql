-- Curated entries: numbers from papers and from named sources, with their provenance.

-- name: list
select e.id, lower(e.model) as model_key, e.benchmark_id, e.model, e.organization, e.access, e.size, e.provenance, e.source_url, e.source_note,
       e.access_date, e.created_at, e.updated_at, e.retired_at, e.retired_reason,
       coalesce((select jsonb_object_agg(by_subset.subset, by_subset.scores)
                 from (select subset, jsonb_object_agg(dimension, value) as scores
                       from curated_scores where entry_id = e.id group by subset) by_subset), '{}') as scores
from curated_entries e
where (%(retired_too)s::bool or e.retired_at is null)
  and (%(benchmark_id)s::text is null or e.benchmark_id = %(benchmark_id)s)
  and (%(after_id)s::uuid is null
       or (e.benchmark_id, lower(e.model), e.id) > (%(after_benchmark)s, %(after_model)s, %(after_id)s))
order by e.benchmark_id, lower(e.model), e.id
limit %(limit)s;

-- name: get
select e.id, lower(e.model) as model_key, e.benchmark_id, e.model, e.organization, e.access, e.size, e.provenance, e.source_url, e.source_note,
       e.access_date, e.created_at, e.updated_at, e.retired_at, e.retired_reason,
       coalesce((select jsonb_object_agg(by_subset.subset, by_subset.scores)
                 from (select subset, jsonb_object_agg(dimension, value) as scores
                       from curated_scores where entry_id = e.id group by subset) by_subset), '{}') as scores
from curated_entries e
where e.id = %(id)s;

-- name: lock
-- Two maintainers who edit one entry stand in line: the log then tells their acts in order.
select id from curated_entries where id = %(id)s for update;

-- name: add
-- One living entry for each model on a board; gives nothing when there is one already.
insert into curated_entries (benchmark_id, model, organization, access, size, provenance, source_url, source_note,
                             access_date)
values (%(benchmark_id)s, %(model)s, %(organization)s, %(access)s, %(size)s, %(provenance)s, %(source_url)s,
        %(source_note)s, %(access_date)s)
on conflict (benchmark_id, lower(model)) where retired_at is null do nothing
returning id;

-- name: ever_added
-- Whether the board ever had that model from that provenance; what a maintainer retired is not seeded again.
select id from curated_entries
where benchmark_id = %(benchmark_id)s and lower(model) = lower(%(model)s) and provenance = %(provenance)s
limit 1;

-- name: update
update curated_entries
set model = %(model)s, organization = %(organization)s, access = %(access)s, size = %(size)s,
    source_url = %(source_url)s, source_note = %(source_note)s, access_date = %(access_date)s, updated_at = now()
where id = %(id)s and retired_at is null;

-- name: put_score
insert into curated_scores (entry_id, subset, dimension, value)
values (%(entry_id)s, %(subset)s, %(dimension)s, %(value)s)
on conflict (entry_id, subset, dimension) do update set value = excluded.value;

-- name: drop_score
delete from curated_scores where entry_id = %(entry_id)s and subset = %(subset)s and dimension = %(dimension)s;

-- name: retire
update curated_entries set retired_at = now(), retired_reason = %(reason)s
where id = %(id)s and retired_at is null;
