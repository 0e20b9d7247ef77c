-- The board: a query, never a table. Only numbers made on the benchmark's present content and protocol are compared.

-- name: rows
-- One row for each entry that shows a number under the filter. An entry shows a dimension only where it has it on every
-- subset that counts: the one asked for, or all those that have the operation. Entries are ranked by what a reader
-- sees (two decimals); equal numbers share a rank (1, 1, 3); without the ranking number there is no rank.
with board as (
    select id, kind, %(protocol)s::text as protocol, protocol = %(protocol)s as is_ranking, ranked_by, current_version
    from benchmarks where id = %(benchmark_id)s
), counted as (
    select s.id from subsets s join board on s.benchmark_id = board.id
    where (%(subset)s::text is null or s.id = %(subset)s)
      and (%(operation)s::text = 'all' or exists (
          select from benchmark_versions v, jsonb_array_elements(v.manifest -> 'samples') sample
          where v.benchmark_id = board.id and v.version = board.current_version
            and sample ->> 'subset' = s.id and sample ->> 'operation' = %(operation)s))
), numbers as (
    select sub.id as entry_id, sc.subset, sc.dimension, sc.value
    from submissions sub
    join board on board.id = sub.benchmark_id and board.current_version = sub.benchmark_version
    join scores sc on sc.submission_id = sub.id and sc.protocol = board.protocol
    where sub.state = 'published' and sc.operation = %(operation)s
    union all
    select e.id, cs.subset, cs.dimension, cs.value
    from curated_entries e
    join board on board.id = e.benchmark_id
    join curated_scores cs on cs.entry_id = e.id
    where e.retired_at is null and %(operation)s = 'all' and board.is_ranking
), means as (
    select n.entry_id, n.dimension, round(avg(n.value)::numeric, 2) as value
    from numbers n join counted c on c.id = n.subset
    group by n.entry_id, n.dimension
    having count(*) = (select count(*) from counted)
), shown as (
    select m.entry_id,
           jsonb_object_agg(m.dimension, m.value) as scores,
           max(m.value) filter (where m.dimension = board.ranked_by) as ranking
    from means m cross join board
    group by m.entry_id
), entries as (
    select s.id as entry_id, 'submission' as kind, 'scored' as provenance, s.model, s.organization, null::text as access,
           null::text as size, t.name as team, board.protocol, s.created_at as submitted_at, s.url as source_url
    from submissions s join teams t on t.id = s.team_id cross join board
    union all
    select e.id, 'curated', e.provenance::text, e.model, e.organization, e.access::text, e.size, null,
           case when board.kind = 'published' and e.provenance = 'paper' then board.protocol end, null, e.source_url
    from curated_entries e join board on board.id = e.benchmark_id
)
select case when shown.ranking is not null then rank() over (order by shown.ranking desc nulls last) end as rank,
       entries.*, shown.scores
from shown join entries using (entry_id)
order by shown.ranking desc nulls last, lower(entries.model), entries.entry_id;
