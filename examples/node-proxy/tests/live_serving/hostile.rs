//! Clients that waste what the server has.

use std::io::Write as _;
use std::net::TcpStream;

use node_proxy::api_server::ApiServer;

use crate::client::{send, wait_for};
use crate::objects::{gateway, node};
use crate::stage::agent::{Agent, fresh_namespace};

#[test]
fn slow_and_endless_requests_do_not_stop_the_answers() {
    fresh_namespace();
    let server = ApiServer::start().unwrap();
    server.put(node(&[])).unwrap();
    server.put(gateway(32000)).unwrap();
    let agent = Agent::start(&server, &[]);
    agent.wait_for("synchronized");
    for port in [32000, 10256, 10249] {
        wait_for(port, "/livez", |_| true);
        let slow: Vec<TcpStream> = (0..40)
            .map(|number| {
                let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
                if number % 2 == 0 {
                    stream.write_all(b"GET / HTTP/1.1\r\nHost").unwrap();
                }
                stream
            })
            .collect();
        // They lose their places after some seconds, whole batches of them.
        wait_for(port, "/livez", |_| true);
        drop(slow);
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(100_000));
        let refused = send(port, &endless).map(|answer| answer.status);
        assert!(matches!(refused, None | Some(431)), "{refused:?}");
        let refused = send(port, "POST / HTTP/1.1\r\nHost: node\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(refused.unwrap().status, 405);
        let refused = send(port, "no request\r\n\r\n").map(|answer| answer.status);
        assert!(matches!(refused, None | Some(400)), "{refused:?}");
        wait_for(port, "/livez", |_| true);
    }
}
