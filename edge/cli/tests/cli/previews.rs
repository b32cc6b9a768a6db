use serde_json::json;

use crate::support::{explained, step};

const ID: &str = "0b5e9c1a-7f2d-4e60-9d3c-1a2b3c4d5e6f";

fn url(port: u16, rest: &str) -> String {
    let config = he2_config::parse("he2.toml", include_str!("../../../../he2.toml")).unwrap();
    format!("https://{port}-{ID}.{}{rest}", config.plan().previews.unwrap().domain)
}

#[test]
fn a_preview_is_followed_to_its_sandbox_and_shows_no_secret() {
    let found = explained(&["GET", &url(6080, "/vnc_lite.html?password=hush"), "--ip", "198.51.100.7"]);
    assert_eq!(step(&found, "preview"), format!("port 6080 of the sandbox {ID}"));
    assert_eq!(step(&found, "path"), "/vnc_lite.html");
    assert!(step(&found, "limit").ends_with("counted for previews/ip/198.51.100.7; would be asked"));
    let forward = &found["forward"];
    assert_eq!(forward["url"], format!("https://6080-{ID}.DAYTONA/vnc_lite.html?password=(hidden)"));
    let headers = forward["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["x-daytona-preview-token", "(hidden)"])));
    assert!(!found.to_string().contains("hush"));
}

#[test]
fn a_port_and_a_path_that_no_preview_has_are_told() {
    let reserved = explained(&["GET", &url(2280, "/")]);
    assert!(step(&reserved, "preview").ends_with("refused with 403: this port is not shown"));
    assert_eq!(reserved["forward"], json!(null));
    let way_out = explained(&["GET", &url(8080, "/a%2f..%2f..%2f2280")]);
    assert!(step(&way_out, "path").starts_with("refused with 400"));
}
