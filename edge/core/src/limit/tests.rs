use super::*;

#[test]
fn keys_spread_over_all_shards_and_stay_where_they_are() {
    let shards: std::collections::BTreeSet<_> =
        (0..2_000).map(|user| shard(&format!("api/user/{user}"))).collect();
    assert_eq!(shards.len(), usize::from(SHARDS));
    assert_eq!(shard("api/user/1"), "34", "another shard would begin to count anew");
}
