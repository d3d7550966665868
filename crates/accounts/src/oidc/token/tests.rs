use super::*;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::json;

const NOW: u64 = 1_800_000_000;
const EXPECTED: Expected<'_> =
    Expected { issuer: "https://login.example.org", client_id: "lyceum", nonce: "n-0S6", skew_seconds: 60, now: NOW };

struct Signer {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
}

impl Signer {
    fn new() -> Signer {
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        Signer { rsa, ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap() }
    }

    fn keys(&self) -> Keys {
        // RSAPublicKey in DER: two headers, a zero, 256 bytes of modulus, a header, 65537.
        let public = self.rsa.public_key().as_ref();
        let (n, e) = (base64::token(&public[9..265]), base64::token(&public[267..]));
        let point = self.ec.public_key().as_ref();
        let set = json!({ "keys": [
            { "kty": "RSA", "kid": "r1", "use": "sig", "alg": "RS256", "n": n, "e": e },
            { "kty": "EC", "kid": "e1", "crv": "P-256", "x": base64::token(&point[1..33]), "y": base64::token(&point[33..]) },
            { "kty": "RSA", "kid": "enc", "use": "enc", "n": n, "e": e },
            { "kty": "oct", "kid": "shared", "k": "AAAA" },
            "not a key",
        ] });
        Keys::read(set.to_string().as_bytes()).unwrap()
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let signed = format!(
            "{}.{}",
            base64::token(header.to_string().as_bytes()),
            base64::token(claims.to_string().as_bytes())
        );
        let random = SystemRandom::new();
        let signature = match header["alg"].as_str() {
            Some("ES256") => self.ec.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            Some("none") => Vec::new(),
            _ => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
                signature
            }
        };
        format!("{signed}.{}", base64::token(&signature))
    }
}

fn claims() -> Value {
    json!({ "iss": EXPECTED.issuer, "aud": "lyceum", "sub": "24400320", "nonce": EXPECTED.nonce, "iat": NOW,
        "exp": NOW + 300, "email": "anna@example.org", "email_verified": true })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

#[test]
fn a_good_token_of_either_algorithm_says_who_somebody_is() {
    let signer = Signer::new();
    let keys = signer.keys();
    assert_eq!(keys.len(), 2, "keys of other kinds and purposes are left out");
    for header in [json!({"alg": "RS256", "kid": "r1"}), json!({"alg": "ES256", "kid": "e1"}), json!({"alg": "ES256"})]
    {
        let found = check(&signer.token(&header, &claims()), &keys, &EXPECTED).unwrap();
        assert_eq!(found.text("email"), Some("anna@example.org"), "{header}");
        assert!(!found.mail_is_doubtful());
    }
}

#[test]
fn each_claim_must_be_what_it_must_be() {
    let signer = Signer::new();
    let keys = signer.keys();
    let header = json!({"alg": "ES256", "kid": "e1"});
    for (name, value, expected) in [
        ("iss", json!("https://login.example.org/"), Err(OidcFault::Claim("iss"))),
        ("iss", Value::Null, Err(OidcFault::Claim("iss"))),
        ("aud", json!("another"), Err(OidcFault::Claim("aud"))),
        ("aud", Value::Null, Err(OidcFault::Claim("aud"))),
        ("aud", json!(["lyceum"]), Ok(())),
        ("aud", json!(["lyceum", "another"]), Err(OidcFault::Claim("azp"))),
        ("azp", json!("another"), Err(OidcFault::Claim("azp"))),
        ("azp", json!("lyceum"), Ok(())),
        ("sub", json!(""), Err(OidcFault::Claim("sub"))),
        ("nonce", json!("another"), Err(OidcFault::Claim("nonce"))),
        ("nonce", Value::Null, Err(OidcFault::Claim("nonce"))),
        ("exp", json!(NOW - 60), Err(OidcFault::Time("exp"))),
        ("exp", json!(NOW - 59), Ok(())),
        ("exp", Value::Null, Err(OidcFault::Time("exp"))),
        ("exp", json!("soon"), Err(OidcFault::Time("exp"))),
        ("iat", json!(NOW + 60), Ok(())),
        ("iat", json!(NOW + 61), Err(OidcFault::Time("iat"))),
        ("nbf", json!(NOW + 61), Err(OidcFault::Time("nbf"))),
        ("nbf", json!("x"), Err(OidcFault::Time("nbf"))),
    ] {
        let found = check(&signer.token(&header, &with(name, value.clone())), &keys, &EXPECTED).map(drop);
        assert_eq!(found, expected, "{name} {value}");
    }
}

#[test]
fn only_the_issuers_own_signature_counts() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let keys = signer.keys();
    let rs = json!({"alg": "RS256", "kid": "r1"});
    assert_eq!(check(&stranger.token(&rs, &claims()), &keys, &EXPECTED), Err(OidcFault::Signature));
    let unknown = json!({"alg": "RS256", "kid": "r2"});
    assert_eq!(check(&signer.token(&unknown, &claims()), &keys, &EXPECTED), Err(OidcFault::UnknownKey));
    let crossed = json!({"alg": "ES256", "kid": "r1"});
    assert_eq!(check(&signer.token(&crossed, &claims()), &keys, &EXPECTED), Err(OidcFault::UnknownKey));
    // The claims of one token under the signature of another.
    let good = signer.token(&rs, &claims());
    let (head, signature) = good.rsplit_once('.').unwrap();
    let other = base64::token(with("sub", json!("somebody else")).to_string().as_bytes());
    let forged = format!("{}.{other}.{signature}", head.split_once('.').unwrap().0);
    assert_eq!(check(&forged, &keys, &EXPECTED), Err(OidcFault::Signature));
}

#[test]
fn nobody_chooses_the_algorithm() {
    let signer = Signer::new();
    let keys = signer.keys();
    for alg in ["none", "None", "HS256", "RS384", "PS256", ""] {
        let token = signer.token(&json!({"alg": alg, "kid": "r1"}), &claims());
        let found = check(&token, &keys, &EXPECTED);
        assert_eq!(found, Err(OidcFault::Form("its algorithm is neither RS256 nor ES256")), "{alg}");
    }
    let critical = signer.token(&json!({"alg": "RS256", "kid": "r1", "crit": ["exp"]}), &claims());
    assert_eq!(check(&critical, &keys, &EXPECTED), Err(OidcFault::Form("it asks for an extension")));
    let good = signer.token(&json!({"alg": "RS256", "kid": "r1"}), &claims());
    let unsigned = format!("{}.", good.rsplit_once('.').unwrap().0);
    assert_eq!(check(&unsigned, &keys, &EXPECTED), Err(OidcFault::Signature));
    for broken in ["", "a", "a.b", "a.b.c", "....", &"x".repeat(MOST_BYTES + 1)] {
        assert!(matches!(check(broken, &keys, &EXPECTED), Err(OidcFault::Form(_))));
    }
}

#[test]
fn a_mail_address_that_the_issuer_doubts_is_doubtful() {
    for (value, doubtful) in [
        (Value::Null, false),
        (json!(true), false),
        (json!("true"), false),
        (json!(false), true),
        (json!("false"), true),
        (json!(1), true),
    ] {
        assert_eq!(Claims(with("email_verified", value.clone())).mail_is_doubtful(), doubtful, "{value}");
        assert_eq!(
            Claims(with("email_verified", value.clone())).mail_is_verified(),
            !doubtful && !value.is_null(),
            "{value}"
        );
    }
}
