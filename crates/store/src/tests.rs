//! The statements themselves, on both engines.

use crate::{DatabaseUrl, OpenOptions, Store};
use symbolon_domain::Timestamp;

pub(crate) async fn memory() -> Store {
    let store = Store::open(&DatabaseUrl::SqliteMemory, &OpenOptions::default())
        .await
        .unwrap();
    store.migrate(Timestamp::from_millis(1)).await.unwrap();
    store
}

#[tokio::test]
async fn smoke() {
    let store = memory().await;
    store.ping().await.unwrap();
    assert_eq!(store.schema_version().await.unwrap(), 1);
    let mut batch = store.batch();
    batch.put_setting("a", "b").begin_feed("e");
    batch.commit().await.unwrap();
    assert_eq!(store.find_setting("a").await.unwrap().as_deref(), Some("b"));
    store.close().await;
    assert!(store.ping().await.is_err());
}
