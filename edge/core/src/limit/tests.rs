use super::*;

#[test]
fn keys_spread_over_all_shards_and_stay_where_they_are() {
    let shards: std::collections::BTreeSet<_> =
        (0..2_000).map(|user| shard(&format!("api/user/{user}"))).collect();
    assert_eq!(shards.len(), usize::from(SHARDS));
    assert_eq!(shard("api/user/1"), "34", "another shard would begin to count anew");
}

#[test]
fn leases_of_a_data_centre_lie_in_objects_of_its_own() {
    let shards: std::collections::BTreeSet<_> = (0..100)
        .map(|page| shard(&lease::Lease::new("FRA", &format!("https://he2.ai/{page}"), 1, [0; 24]).key))
        .collect();
    assert_eq!(shards.len(), usize::from(DATA_CENTRE_SHARDS));
    assert!(shards.iter().all(|shard| shard.starts_with("fetch:FRA/")), "{shards:?}");
}
