use crate::support::explained;

fn rows(text: &'static str) -> Vec<[&'static str; 3]> {
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    let row = |line: &'static str| {
        let mut cells = line.split('\t');
        [(); 3].map(|()| cells.next().unwrap())
    };
    lines.map(row).collect()
}

/// What he2.toml calls the class, where the app's own is this.
fn class(of_the_app: &str) -> &'static str {
    match of_the_app {
        "PUBLIC" => "public",
        "OPTIONAL" => "optional",
        // A token in the query is a source, not a class.
        "USER" | "USER_OR_QUERY_TOKEN" => "any_of",
        "ADMIN_KEY" => "admin",
        "SIGNED_WEBHOOK" => "webhook",
        "BLOCKED" => "blocked",
        other => panic!("unknown class {other}"),
    }
}

#[test]
fn all_153_routes_of_the_app_are_explained_with_their_class() {
    let stricter = rows(include_str!("../../../config/tests/stricter-routes.tsv"));
    let all = rows(include_str!("../../../config/tests/app-routes.tsv"));
    assert_eq!(all.len(), 153);
    for [method, pattern, own] in all {
        let exception = stricter.iter().find(|row| row[..2] == [method, pattern]);
        let expected = class(exception.map_or(own, |row| row[2]));
        let path = pattern.replace(":path}", "/b}").replace(['{', '}'], "");
        let found = explained(&[method, &format!("https://api.he2.ai{path}")]);
        assert_eq!(found["route"]["auth"], expected, "{method} {path}");
        // Nothing but the open classes passes without a credential.
        let open = matches!(expected, "public" | "optional");
        assert_eq!(found["forward"].is_object(), open, "{method} {path}: {found:#}");
    }
}
