//! What a reader of the README does: orders, and a change of roles that takes effect without a new sign-in.

use serde_json::{Value, json};

use super::super::place::Place;
use super::examples::Example;
use super::matrix::World;

#[test]
fn the_examples_take_orders_and_show_each_to_its_owner_only() {
    let place = Place::new();
    let world = World::start(&place);
    let ada = world.server.register("ada@example.com");
    let bob = world.server.register("bob@example.com");
    world.each(|example| {
        take_an_order(example, &ada.access, &bob.access);
        let of_ada = |path: &str| example.verdict(path, &ada.access);
        let forbidden = (403, "forbidden".to_owned());
        assert_eq!(of_ada("/admin/orders"), forbidden, "{}", example.name);
        assert_eq!(of_ada("/reports"), forbidden, "{}", example.name);
        assert_eq!(of_ada("/scoped").0, 200, "{}", example.name);
    });
}

fn take_an_order(example: &Example, ada: &str, bob: &str) {
    let name = example.name;
    let ask = |method: &str, path: &str, who: &str, body: Option<&Value>| {
        let reply = example.ask(method, path, Some(who), body);
        let json = match reply.body.is_empty() {
            true => Value::Null,
            false => reply.json(),
        };
        (reply.status, json)
    };
    example.ask("GET", "/", None, None).expect(200);
    let nobody = example.ask("GET", "/orders", None, None);
    let nobody = (nobody.status, nobody.text("code"));
    assert_eq!(nobody, (401, "no_token".to_owned()), "{name}");

    let order = json!({ "item": "tea", "quantity": 2 });
    let (status, made) = ask("POST", "/orders", ada, Some(&order));
    assert_eq!((status, &made["item"]), (201, &json!("tea")), "{name}");
    let id = made["id"].as_str().map(str::to_owned);
    let path = format!("/orders/{}", id.unwrap_or_else(|| made["id"].to_string()));
    let more = json!({ "item": "tea", "quantity": 3 });
    assert_eq!(ask("PUT", &path, ada, Some(&more)).0, 200, "{name}");
    assert_eq!(ask("GET", &path, ada, None).1["quantity"], 3, "{name}");
    let list = ask("GET", "/orders", ada, None).1;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{name}");
    for method in ["GET", "DELETE"] {
        assert_eq!(
            ask(method, &path, bob, None).0,
            404,
            "{name}: {method} of another's"
        );
    }
    assert_eq!(ask("PUT", &path, bob, Some(&more)).0, 404, "{name}");
    assert_eq!(ask("DELETE", &path, ada, None).0, 204, "{name}");
    assert_eq!(ask("GET", &path, ada, None).0, 404, "{name}");
}

#[test]
fn m8_a_change_of_roles_takes_effect_without_a_new_sign_in() {
    let place = Place::new();
    let world = World::start(&place);
    let ada = world.server.register("ada@example.com");
    world.each(|example| assert_eq!(example.verdict("/admin/orders", &ada.access).0, 403));
    place
        .run(&["user", "set-roles", "ada@example.com", "--role", "admin"])
        .text();
    world.settle(1);
    world.each(|example| {
        assert_eq!(
            example.verdict("/orders", &ada.access),
            (401, "token_stale".to_owned()),
            "{}",
            example.name
        )
    });
    let reply = world.server.connect().refresh(&ada.refresh).unwrap();
    let access = reply.expect(200).text("accessToken");
    world.each(|example| {
        assert_eq!(
            example.verdict("/admin/orders", &access).0,
            200,
            "{}",
            example.name
        )
    });
    world.each(|example| {
        assert_eq!(
            example.verdict("/reports", &access).0,
            200,
            "{}",
            example.name
        )
    });
}
