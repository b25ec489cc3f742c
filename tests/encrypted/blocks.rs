//! Blocks that an attacker sends in place of an encrypted key: textbook RSA of any number (RFC 8017
//! section 5.1.1), so that what the API decrypts has the shape of Bleichenbacher's and Manger's attacks.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

use crate::jwe::{Recipient, random};

/// A block by its name in the table; `content_key` is what a good block would hold.
pub(crate) fn block(name: &str, to: &Recipient, alg: &str, content_key: &[u8]) -> Vec<u8> {
    let n = &to.modulus;
    let k = n.len();
    let padded = |first: &[u8], padding: u8| {
        let mut block = first.to_vec();
        block.resize(k - content_key.len() - 1, padding);
        block.push(0);
        block.extend(content_key);
        rsa(&block, n)
    };
    let hash = |seed: u8, db: Vec<u8>| rsa(&oaep(alg, k, seed, db), n);
    let label = |text: &[u8]| hashed(alg, text);
    let db = |label: Vec<u8>, separator: u8, key: &[u8]| {
        let mut db = label.clone();
        db.resize(k - 2 - 2 * label.len() - key.len() + label.len(), 0);
        db.push(separator);
        db.extend(key);
        db
    };
    match name {
        "number_0" => vec![0; k],
        "number_1" => [vec![0; k - 1], vec![1]].concat(),
        "number_n_minus_1" => {
            let mut number = n.clone();
            *number.last_mut().unwrap() -= 1;
            number
        }
        "number_n" => n.clone(),
        "greatest_number" => vec![0xff; k],
        "random" => {
            let mut number = random(k);
            number[0] = 0;
            number
        }
        // PKCS#1 v1.5 (RFC 8017 section 7.2.1), as RSA1_5 has it.
        "pkcs1_type_2" => padded(&[0, 2], 0xa5),
        "pkcs1_type_1" => padded(&[0, 1], 0xff),
        "pkcs1_type_2_without_zero" => rsa(&[vec![0, 2], vec![0xa5; k - 2]].concat(), n),
        "pkcs1_type_2_with_short_padding" => {
            let mut block = vec![0, 2, 1, 2, 3, 0];
            block.resize(k, 0x5a);
            rsa(&block, n)
        }
        // OAEP (RFC 8017 section 7.1.1), and one step of it wrong.
        "oaep" => hash(0, db(label(b""), 1, content_key)),
        "oaep_first_byte_1" => hash(1, db(label(b""), 1, content_key)),
        "oaep_with_label" => hash(0, db(label(b"JWE"), 1, content_key)),
        "oaep_with_zero_label_hash" => hash(0, db(vec![0; label(b"").len()], 1, content_key)),
        "oaep_separator_2" => hash(0, db(label(b""), 2, content_key)),
        "oaep_without_separator" => hash(0, db(label(b""), 0, &vec![0; content_key.len()])),
        "oaep_half_a_key" => hash(0, db(label(b""), 1, &content_key[..content_key.len() / 2])),
        "oaep_key_and_a_byte" => hash(0, db(label(b""), 1, &[content_key, &[0]].concat())),
        "oaep_no_key" => hash(0, db(label(b""), 1, b"")),
        "oaep_other_hash" => {
            let other = if alg == "RSA-OAEP" {
                "RSA-OAEP-256"
            } else {
                "RSA-OAEP"
            };
            to.encrypt(other, content_key, None)
        }
        "oaep_sha_512" => to.encrypt("RSA-OAEP-512", content_key, None),
        "wrong_key" => Recipient::new().encrypt(alg, content_key, None),
        other => panic!("{other} is no block"),
    }
}

#[test]
fn a_block_made_by_hand_is_what_the_library_makes() {
    use crate::jwe::sealed_by;
    use crate::world::{decrypting, outcome, signed};
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _in = runtime.enter();
    let own = Recipient::new();
    let entra = decrypting(&[&own]);
    for alg in crate::jwe::KEY_ENCRYPTIONS {
        let key = random(32);
        let encrypted = block("oaep", &own, alg, &key);
        let header = serde_json::Value::from(crate::jwe::header(alg, "A256GCM")).to_string();
        let token = sealed_by(&key, encrypted, "A256GCM", header, signed().as_bytes());
        assert_eq!(outcome(&entra, &token.compact()), "in", "{alg}");
    }
}

fn hashed(alg: &str, bytes: &[u8]) -> Vec<u8> {
    let algorithm = match alg {
        "RSA-OAEP" => &SHA1_FOR_LEGACY_USE_ONLY,
        _ => &SHA256,
    };
    digest(algorithm, bytes).as_ref().to_vec()
}

/// RFC 8017 section 7.1.1 steps 2d to 2i; `first` is the byte that must be 0.
fn oaep(alg: &str, k: usize, first: u8, mut db: Vec<u8>) -> Vec<u8> {
    let length = hashed(alg, b"").len();
    assert_eq!(db.len(), k - length - 1);
    let mut seed = random(length);
    mask(alg, &seed, &mut db);
    mask(alg, &db, &mut seed);
    [vec![first], seed, db].concat()
}

/// XOR with MGF1 (RFC 8017 appendix B.2.1).
fn mask(alg: &str, seed: &[u8], bytes: &mut [u8]) {
    let length = hashed(alg, b"").len();
    for (counter, part) in bytes.chunks_mut(length).enumerate() {
        let counter = u32::try_from(counter).unwrap().to_be_bytes();
        let hash = hashed(alg, &[seed, &counter].concat());
        part.iter_mut()
            .zip(hash)
            .for_each(|(byte, hash)| *byte ^= hash);
    }
}

/// `message` to the power of 65537 modulo `modulus`, both big-endian.
fn rsa(message: &[u8], modulus: &[u8]) -> Vec<u8> {
    let (message, n) = (limbs(message), limbs(modulus));
    let mut power = message.clone();
    for _ in 0..16 {
        power = product(&power, &power, &n);
    }
    let power = product(&power, &message, &n);
    power
        .iter()
        .rev()
        .flat_map(|limb| limb.to_be_bytes())
        .collect()
}

/// Little-endian limbs.
fn limbs(number: &[u8]) -> Vec<u32> {
    let limb = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    number.rchunks(4).map(limb).collect()
}

/// By doubling and adding: slow, and short enough to be seen to be right.
fn product(a: &[u32], b: &[u32], n: &[u32]) -> Vec<u32> {
    let mut sum = vec![0; n.len()];
    for limb in a.iter().rev() {
        for bit in (0..32).rev() {
            let twice = sum.clone();
            add(&mut sum, &twice, n);
            if limb >> bit & 1 == 1 {
                add(&mut sum, b, n);
            }
        }
    }
    sum
}

/// `sum + other` modulo `n`, of numbers below `n`.
fn add(sum: &mut [u32], other: &[u32], n: &[u32]) {
    let mut carry = 0_u64;
    for (limb, other) in sum.iter_mut().zip(other) {
        carry += u64::from(*limb) + u64::from(*other);
        *limb = carry as u32;
        carry >>= 32;
    }
    if carry == 0 && sum.iter().rev().lt(n.iter().rev()) {
        return;
    }
    let mut borrow = 0_i64;
    for (limb, n) in sum.iter_mut().zip(n) {
        borrow += i64::from(*limb) - i64::from(*n);
        *limb = borrow as u32;
        borrow >>= 32;
    }
}
