//! Whether a licence expression (SPDX, and the older `MIT/Apache-2.0`) can be met with the allowed ones.

/// `Ok(true)` when one choice of the expression's alternatives needs allowed licences only.
///
/// # Errors
/// The expression is malformed; the text says where.
pub(super) fn is_met(expression: &str, allowed: &[String]) -> Result<bool, String> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut reader = Reader {
        words: spaced.split_whitespace().collect(),
        at: 0,
        allowed,
    };
    let met = reader.alternatives()?;
    match reader.words.get(reader.at) {
        None => Ok(met),
        Some(word) => Err(format!("`{word}` is not expected there")),
    }
}

struct Reader<'a> {
    words: Vec<&'a str>,
    at: usize,
    allowed: &'a [String],
}

impl Reader<'_> {
    fn alternatives(&mut self) -> Result<bool, String> {
        let mut met = self.all()?;
        while self.take("OR") {
            met |= self.all()?;
        }
        Ok(met)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut met = self.one()?;
        while self.take("AND") {
            met &= self.one()?;
        }
        Ok(met)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let met = self.alternatives()?;
            return if self.take(")") {
                Ok(met)
            } else {
                Err("a `(` is not closed".to_owned())
            };
        }
        let mut name = self.word()?.to_owned();
        if self.take("WITH") {
            name = format!("{name} WITH {}", self.word()?);
        }
        Ok(self.allowed.contains(&name))
    }

    fn word(&mut self) -> Result<&str, String> {
        let word = self.words.get(self.at).ok_or("it ends too early")?;
        self.at += 1;
        Ok(word)
    }

    fn take(&mut self, word: &str) -> bool {
        let is_here = self.words.get(self.at) == Some(&word);
        self.at += usize::from(is_here);
        is_here
    }
}

#[cfg(test)]
mod tests {
    use super::is_met;

    #[test]
    fn expressions_are_met_by_one_allowed_choice() {
        let allowed = [
            "MIT",
            "Apache-2.0",
            "Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ]
        .map(str::to_owned);
        for good in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/GPL-3.0",
            "(GPL-3.0 OR MIT) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert_eq!(is_met(good, &allowed), Ok(true), "{good}");
        }
        for bad in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "GPL-3.0 OR MIT AND GPL-2.0",
            "MIT WITH X",
        ] {
            assert_eq!(is_met(bad, &allowed), Ok(false), "{bad}");
        }
        for malformed in ["", "MIT OR", "(MIT", "MIT MIT"] {
            assert!(is_met(malformed, &allowed).is_err(), "{malformed}");
        }
    }
}
