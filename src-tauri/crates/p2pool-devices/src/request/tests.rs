use super::*;
use crate::text::Login;

fn with_login(user: &str, password: &str) -> Secrets {
    let password = Secret::new(password.into());
    Secrets { login: Some(Login { user: user.into(), password }), ..Secrets::default() }
}

fn set_pool() -> Request {
    Request::SetPool {
        index: 1,
        url: "stratum+tcp://10.0.0.2:9332".into(),
        user: "bc1q.a".into(),
        password: PoolPassword::OldPools,
    }
}

#[test]
fn names_sent_and_names_stored_agree() {
    let settings = Settings::from([(Key::StratumUrl, "h".into()), (Key::UseFallback, 0.into())]);
    let stored = serde_json::to_value(&settings).unwrap();
    let Ok(Wire::Http(sent)) = Request::Settings(settings).wire(&Secrets::default()) else {
        panic!("settings go over HTTP");
    };
    assert_eq!(sent.body, Some(stored));
    assert_eq!((sent.method, sent.path.as_str()), (Method::Patch, "/api/system"));
}

#[test]
fn a_stored_request_with_a_foreign_key_is_not_read() {
    for key in ["ssid", "wifiPass", "stratumPassword", "frequency", "coreVoltage"] {
        let text = format!(r#"{{"settings":{{"{key}":"x"}}}}"#);
        assert!(serde_json::from_str::<Request>(&text).is_err(), "{key}");
    }
    assert!(serde_json::from_str::<Request>(r#"{"delete_slot":{"id":8}}"#).is_err());
}

#[test]
fn an_avalon_command_carries_login_and_pool_in_order() {
    let mut secrets = with_login("root", "pw");
    let parameter = |secrets: &Secrets| match set_pool().wire(secrets).unwrap() {
        Wire::Command(value) => value["parameter"].as_str().unwrap().to_owned(),
        Wire::Http(_) => panic!("setpool is a command"),
    };
    assert_eq!(parameter(&secrets), "root,pw,1,stratum+tcp://10.0.0.2:9332,bc1q.a,x");
    secrets.old_pool_password = Some(Secret::new("secret".into()));
    assert_eq!(parameter(&secrets), "root,pw,1,stratum+tcp://10.0.0.2:9332,bc1q.a,secret");
}

#[test]
fn an_avalon_command_without_a_usable_login_is_not_made() {
    assert_eq!(set_pool().wire(&Secrets::default()), Err(Denial::NeedsLogin));
    assert_eq!(set_pool().wire(&with_login("root", "a,b")), Err(Denial::WrongLogin));
}

#[test]
fn a_slot_shown_by_the_device_is_written_back_without_foreign_keys() {
    let shown = json!({"id": 3, "stratumURL": "h", "stratumPassword": "abc", "ssid": "x"});
    let slot = Slot::as_shown(shown.as_object().unwrap());
    let expected = json!({"stratumURL": "h", "stratumPassword": "*****"});
    assert_eq!(serde_json::to_value(slot).unwrap(), expected);
}
