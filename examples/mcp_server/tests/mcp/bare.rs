//! The same servers without the layer, to compare with.

use tokio::net::TcpListener;

use crate::servers;

#[tokio::test]
#[ignore = "a server that .ci/mcp starts and ends"]
async fn a_server_without_the_layer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("bare on http://{}", listener.local_addr().unwrap());
    axum::serve(listener, servers::without_guards())
        .await
        .unwrap();
}
