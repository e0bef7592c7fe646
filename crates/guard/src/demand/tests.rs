//! Demands against claims.

use symbolon_token::Audience;

use super::*;

const NOW: i64 = 1_790_000_000;
const LEEWAY: i64 = 5;

fn check(demand: &Demand, scope: &str, roles: &[&str]) -> Result<(), Denied> {
    let claims = AccessClaims {
        scope: scope.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..claims()
    };
    judged(demand, &claims)
}

fn judged(demand: &Demand, claims: &AccessClaims) -> Result<(), Denied> {
    match demand.is_met_at(claims, NOW, LEEWAY) {
        true => Ok(()),
        false => Err(demand.denied()),
    }
}

fn claims() -> AccessClaims {
    AccessClaims {
        iss: String::new(),
        sub: String::new(),
        aud: Audience::from("api"),
        exp: 0,
        iat: 0,
        jti: String::new(),
        sid: None,
        ver: None,
        client_id: String::new(),
        scope: String::new(),
        roles: Vec::new(),
        nbf: None,
        email: None,
        cnf: None,
        auth_time: None,
        acr: None,
        act: None,
    }
}

#[test]
fn any_of_the_roles_will_do() {
    let demand = Demand::any_role(["admin", "support"]);
    assert_eq!(check(&demand, "", &["user", "support"]), Ok(()));
    for roles in [&[][..], &["user"], &["Admin"], &["adminx"], &["*"]] {
        assert_eq!(check(&demand, "admin", roles), Err(Denied::Forbidden));
    }
    let nobody = Demand::any_role::<&str>([]);
    assert_eq!(check(&nobody, "", &["admin"]), Err(Denied::Forbidden));
}

#[test]
fn a_permission_is_a_whole_word_of_the_scope_or_the_star() {
    let demand = Demand::permission("orders:read");
    for scope in ["orders:read", "openid orders:read", "a * b"] {
        assert_eq!(check(&demand, scope, &[]), Ok(()), "{scope}");
    }
    for scope in [
        "",
        "orders:reader",
        "orders:write",
        "orders:*",
        "orders:read\t",
        "**",
    ] {
        assert_eq!(
            check(&demand, scope, &["admin"]),
            Err(Denied::Forbidden),
            "{scope}"
        );
    }
}

#[test]
fn a_demand_for_nothing_is_met_by_nobody() {
    for scope in ["", " ", "a  b", "*"] {
        let (permission, wanted) = (Demand::permission(""), Demand::scope(""));
        assert_eq!(check(&permission, scope, &[]), Err(Denied::Forbidden));
        assert_eq!(check(&wanted, scope, &[]), Err(Denied::InsufficientScope));
    }
}

#[test]
fn a_scope_is_met_by_itself_alone() {
    let demand = Demand::scope("openid");
    assert_eq!(check(&demand, "profile openid", &[]), Ok(()));
    for scope in ["", "*", "openidx", "OPENID"] {
        assert_eq!(
            check(&demand, scope, &[]),
            Err(Denied::InsufficientScope),
            "{scope}"
        );
    }
}

#[test]
fn a_sign_in_is_recent_up_to_the_age_and_the_leeway() {
    let signed_in = |auth_time: Option<i64>| AccessClaims {
        auth_time,
        ..claims()
    };
    let demand = Demand::signed_in_within(Duration::from_secs(300));
    for age in [-LEEWAY, 0, 1, 300, 300 + LEEWAY] {
        let claims = signed_in(Some(NOW - age));
        assert_eq!(judged(&demand, &claims), Ok(()), "{age}");
        assert!(!demand.is_met(&claims), "nobody has said what time it is");
    }
    let refused = Err(Denied::InsufficientUserAuthentication);
    let (old, new) = (NOW - 301 - LEEWAY, NOW + LEEWAY + 1);
    for auth_time in [old, new, 0, i64::MAX, i64::MIN] {
        let claims = signed_in(Some(auth_time));
        assert_eq!(judged(&demand, &claims), refused, "{auth_time}");
    }
    assert_eq!(judged(&demand, &signed_in(None)), refused);
    let ever = Demand::signed_in_within(Duration::MAX);
    assert_eq!(judged(&ever, &signed_in(Some(0))), Ok(()));
    assert_eq!(judged(&ever, &signed_in(None)), refused);
    let at_once = Demand::signed_in_within(Duration::from_millis(999));
    let claims = signed_in(Some(NOW - LEEWAY));
    assert_eq!(judged(&at_once, &claims), Ok(()));
    let claims = signed_in(Some(NOW - LEEWAY - 1));
    assert_eq!(judged(&at_once, &claims), refused);
}

#[test]
fn an_acr_is_one_of_those_demanded() {
    let signed_in = |acr: Option<&str>| AccessClaims {
        acr: acr.map(str::to_owned),
        ..claims()
    };
    let demand = Demand::acr(["3", "2"]);
    for acr in ["2", "3"] {
        assert_eq!(judged(&demand, &signed_in(Some(acr))), Ok(()), "{acr}");
    }
    let refused = Err(Denied::InsufficientUserAuthentication);
    for acr in [None, Some("1"), Some("3 2"), Some("22")] {
        assert_eq!(judged(&demand, &signed_in(acr)), refused, "{acr:?}");
    }
    let nobody = Demand::acr::<&str>([]);
    assert_eq!(judged(&nobody, &signed_in(Some("1"))), refused);
}
