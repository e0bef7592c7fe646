use super::*;

fn resource(text: &str) -> Resource {
    Resource::parse(text).unwrap()
}

#[test]
fn what_was_agreed_to_at_one_place_is_not_at_another() {
    let (a, b) = (
        resource("https://a.example/"),
        resource("https://b.example/"),
    );
    let agreement = Agreement::default()
        .with(std::slice::from_ref(&a), &scopes_from("openid orders:read"))
        .with(
            &[b.clone(), b.clone()],
            &scopes_from("openid payments:write"),
        )
        .with(std::slice::from_ref(&a), &scopes_from("email"));
    let at = |resources: &[&Resource]| {
        let resources: Vec<_> = resources.iter().copied().cloned().collect();
        agreement.at(&resources).map(|scopes| scopes.to_string())
    };
    assert_eq!(at(&[&a]).unwrap(), "email openid orders:read");
    assert_eq!(at(&[&b]).unwrap(), "openid payments:write");
    assert_eq!(at(&[&b, &a]).unwrap(), "openid");
    assert_eq!(at(&[]), None, "our own");
    assert_eq!(at(&[&a, &resource("https://c.example/")]), None);
    let all = agreement.scopes();
    assert_eq!(all.to_string(), "email openid orders:read payments:write");
    assert_eq!(agreement.resources().collect::<Vec<_>>(), [&a, &b]);
    let own = agreement.clone().with(&[], &scopes_from("email"));
    assert_eq!(own.at(&[]), Some(scopes_from("email")));
    let again = own.iter().map(|(at, scopes)| (at.cloned(), scopes.clone()));
    assert_eq!(again.collect::<Agreement>(), own);
}
