-- How far submissions are. One statement for all that are watched, so that listeners cost no connection each.

-- name: of
-- position: how many checks or runs wait before ours (0: it is at work or next); estimates come from the seconds for each
-- sample of the latest runs of the same subset (p50, p90), spread over the workers that are at work now.
with wanted as (
    select s.id, s.benchmark_id, s.benchmark_version, s.protocol, s.state, s.state_changed_at
    from submissions s where s.id = any(%(ids)s)
), subsets_of as (
    select w.id, one.value ->> 'id' as subset, (one.value ->> 'samples')::int as samples
    from wanted w
    join benchmark_versions v on v.benchmark_id = w.benchmark_id and v.version = w.benchmark_version
    cross join jsonb_array_elements(v.manifest -> 'subsets') one (value)
), newest as (
    select distinct on (r.submission_id, r.subset) r.submission_id, r.subset, r.state, r.stage, r.done, r.created_at
    from runs r join wanted w on w.id = r.submission_id
    order by r.submission_id, r.subset, r.attempt desc
), parts as (
    select p.id, p.subset, p.samples, n.state, n.stage, n.created_at,
           case when n.state = 'succeeded' then p.samples else least(coalesce(n.done, 0), p.samples) end as done
    from subsets_of p left join newest n on n.submission_id = p.id and n.subset = p.subset
), speeds as (
    select pace.benchmark_id, pace.subset,
           percentile_cont(0.5) within group (order by pace.each) as p50,
           percentile_cont(0.9) within group (order by pace.each) as p90
    from (
        select s.benchmark_id, r.subset, extract(epoch from r.finished_at - r.started_at) / r.total as each,
               row_number() over (partition by s.benchmark_id, r.subset order by r.finished_at desc) as age
        from runs r join submissions s on s.id = r.submission_id
        where r.state = 'succeeded' and r.total > 0 and r.started_at is not null
          and s.benchmark_id in (select benchmark_id from wanted)
    ) pace
    where pace.age <= 50
    group by pace.benchmark_id, pace.subset
), workers as (
    select greatest(count(distinct lease_owner), 1) as busy from runs where state = 'running'
), ahead as (
    select w.id, count(*)::int as position, sum(speed.p50 * sub.samples) as p50, sum(speed.p90 * sub.samples) as p90
    from wanted w
    join (select id, min(created_at) as since from parts where state = 'queued' group by id) mine on mine.id = w.id
    join runs r on r.state = 'queued' and r.created_at < mine.since and r.submission_id <> w.id
    join submissions other on other.id = r.submission_id
    left join subsets sub on sub.benchmark_id = other.benchmark_id and sub.id = r.subset
    left join speeds speed on speed.benchmark_id = other.benchmark_id and speed.subset = r.subset
    where w.state in ('queued', 'scoring')
    group by w.id
), checks as (
    select w.id, count(o.id)::int as position
    from wanted w left join submissions o on o.state = 'uploaded' and o.state_changed_at < w.state_changed_at
    where w.state = 'uploaded'
    group by w.id
)
select w.id, w.state,
       coalesce(c.position, a.position, case when w.state in ('validating', 'queued', 'scoring') then 0 end) as position,
       coalesce(sum(p.done), 0)::int as done,
       coalesce(sum(p.samples), 0)::int as total,
       min(p.stage) filter (where p.state = 'running') as stage,
       (coalesce(max(a.p50) / max(k.busy), 0) + sum(v.p50 * (p.samples - p.done)) / least(max(k.busy), count(*)))
           ::double precision as p50,
       (coalesce(max(a.p90) / max(k.busy), 0) + sum(v.p90 * (p.samples - p.done)) / least(max(k.busy), count(*)))
           ::double precision as p90,
       count(*) filter (where v.p50 is null and p.done < p.samples) = 0 as estimable
from wanted w
cross join workers k
left join parts p on p.id = w.id
left join speeds v on v.benchmark_id = w.benchmark_id and v.subset = p.subset
left join ahead a on a.id = w.id
left join checks c on c.id = w.id
group by w.id, w.state, c.position, a.position;
