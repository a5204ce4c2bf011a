//! Reads Rust source far enough to find which paths and macros it names: comments, strings and lifetimes are skipped,
//! `use` trees are unfolded, inline modules are followed. Types and values are not distinguished, which is not
//! necessary.

use std::{collections::HashSet, iter::Peekable, slice::Iter};

/// A path such as `crate::audio::AudioFormat`, or the name of a macro that is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    /// Its parts in order; `*` at the end of a glob.
    pub(crate) segments: Vec<String>,
    /// The name that it is known by in this file.
    pub(crate) name: String,
    /// Starts with `::`, so that its first part can only be a crate.
    pub(crate) absolute: bool,
    /// A macro is called.
    pub(crate) is_macro: bool,
    /// It stands in a `use`.
    pub(crate) is_import: bool,
    /// That `use` is not private.
    pub(crate) is_passed_on: bool,
    /// The inline modules around it, outermost first.
    pub(crate) inside: Vec<String>,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// What one file names.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// Every path of at least two parts, everything that is imported, every macro call.
    pub(crate) paths: Vec<Path>,
    /// Modules that the file declares.
    pub(crate) modules: HashSet<String>,
    /// Every word of its code outside of a `use`, a declaration of a module, and tests.
    pub(crate) names: HashSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Separator,
    Mark(char),
    Literal,
}

struct Lexer {
    text: Vec<char>,
    at: usize,
    line: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.text.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn bump(&mut self) -> char {
        let c = self.peek(0);
        self.at += 1;
        if c == '\n' {
            self.line += 1;
        }
        c
    }

    fn is_done(&self) -> bool {
        self.at >= self.text.len()
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while self.peek(0).is_alphanumeric() || self.peek(0) == '_' {
            word.push(self.bump());
        }
        word
    }

    fn skip_line(&mut self) {
        while !self.is_done() && self.peek(0) != '\n' {
            self.bump();
        }
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0_usize;
        while !self.is_done() {
            match (self.bump(), self.peek(0)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => continue,
            }
            self.bump();
            if depth == 0 {
                return;
            }
        }
    }

    fn skip_quoted(&mut self, quote: char) {
        self.bump();
        while !self.is_done() {
            match self.bump() {
                '\\' => {
                    self.bump();
                }
                c if c == quote => return,
                _ => {}
            }
        }
    }

    /// Behind the `r`: any number of `#`, then the quote. Returns whether this is a raw string at all.
    fn skip_raw_string(&mut self) -> bool {
        let mut hashes = 0;
        while self.peek(hashes) == '#' {
            hashes += 1;
        }
        if self.peek(hashes) != '"' {
            return false;
        }
        self.at += hashes + 1;
        while !self.is_done() {
            if self.bump() == '"' && (0..hashes).all(|n| self.peek(n) == '#') {
                self.at += hashes;
                break;
            }
        }
        true
    }

    fn quote(&mut self) -> Option<Token> {
        if self.peek(1) == '\\' || self.peek(2) == '\'' {
            self.skip_quoted('\'');
            return Some(Token::Literal);
        }
        self.bump();
        self.word();
        None
    }

    fn word_or_prefixed_literal(&mut self) -> Token {
        let word = self.word();
        match (word.as_str(), self.peek(0)) {
            ("b" | "c", '"') => self.skip_quoted('"'),
            ("b", '\'') => self.skip_quoted('\''),
            ("r" | "br" | "cr", '"' | '#') if self.skip_raw_string() => {}
            ("r", '#') => {
                self.bump();
                return Token::Word(self.word());
            }
            _ => return Token::Word(word),
        }
        Token::Literal
    }

    fn next_token(&mut self) -> Option<Token> {
        let c = self.peek(0);
        match (c, self.peek(1)) {
            ('/', '/') => self.skip_line(),
            ('/', '*') => self.skip_block_comment(),
            ('"', _) => {
                self.skip_quoted('"');
                return Some(Token::Literal);
            }
            ('\'', _) => return self.quote(),
            (':', ':') => {
                self.at += 2;
                return Some(Token::Separator);
            }
            _ if c.is_whitespace() => {
                self.bump();
            }
            _ if c.is_ascii_digit() => {
                self.word();
                return Some(Token::Literal);
            }
            _ if c.is_alphabetic() || c == '_' => return Some(self.word_or_prefixed_literal()),
            _ => return Some(Token::Mark(self.bump())),
        }
        None
    }
}

fn tokens(text: &str) -> Vec<(Token, usize)> {
    let mut lexer = Lexer { text: text.chars().collect(), at: 0, line: 1 };
    let mut tokens = Vec::new();
    while !lexer.is_done() {
        let line = lexer.line;
        tokens.extend(lexer.next_token().map(|token| (token, line)));
    }
    tokens
}

type Tokens<'a> = Peekable<Iter<'a, (Token, usize)>>;

fn take(tokens: &mut Tokens<'_>, wanted: &Token) -> bool {
    tokens.next_if(|(token, _)| token == wanted).is_some()
}

fn take_word(tokens: &mut Tokens<'_>) -> Option<(String, usize)> {
    let (word, line) = tokens.next_if(|(token, _)| matches!(token, Token::Word(_)))?;
    match word {
        Token::Word(word) => Some((word.clone(), *line)),
        _ => None,
    }
}

struct Reader {
    source: Source,
    /// Inline modules that are open, each with the depth of braces it was opened at.
    open: Vec<(String, usize)>,
    /// Within a `use`: whether it is not private.
    import: Option<bool>,
}

impl Reader {
    fn add(&mut self, segments: Vec<String>, name: Option<String>, absolute: bool, line: usize) {
        let name = name.or_else(|| segments.last().cloned()).unwrap_or_default();
        let inside = self.open.iter().map(|(name, _)| name.clone()).collect();
        let (is_import, is_passed_on) = (self.import.is_some(), self.import == Some(true));
        self.source.paths.push(Path {
            segments,
            name,
            absolute,
            is_macro: false,
            is_import,
            is_passed_on,
            inside,
            line,
        });
    }

    /// One tree of a `use`, behind the keyword, a comma or an opening brace.
    fn use_tree(&mut self, tokens: &mut Tokens<'_>, mut segments: Vec<String>, mut absolute: bool) {
        absolute |= take(tokens, &Token::Separator);
        let mut line = tokens.peek().map_or(0, |(_, line)| *line);
        while let Some((word, at)) = take_word(tokens) {
            line = at;
            // `{self}` at the end of a tree means the tree's own stem.
            if word != "self" || segments.is_empty() {
                segments.push(word);
            }
            if !take(tokens, &Token::Separator) {
                let alias = match tokens.peek() {
                    Some((Token::Word(word), _)) if word == "as" => {
                        tokens.next();
                        take_word(tokens).map(|(word, _)| word)
                    }
                    _ => None,
                };
                self.add(segments, alias, absolute, line);
                return;
            }
        }
        if take(tokens, &Token::Mark('*')) {
            segments.push("*".to_owned());
            self.add(segments, None, absolute, line);
        } else if take(tokens, &Token::Mark('{')) {
            while !take(tokens, &Token::Mark('}')) && tokens.peek().is_some() {
                self.use_tree(tokens, segments.clone(), absolute);
                if !take(tokens, &Token::Mark(',')) && !matches!(tokens.peek(), Some((Token::Mark('}'), _))) {
                    tokens.next();
                }
            }
        }
    }

    /// A path in an expression or a type, from its first word on.
    fn path(&mut self, tokens: &mut Tokens<'_>, first: String, absolute: bool, line: usize) {
        if !self.open.iter().any(|(name, _)| name.contains("test")) {
            self.source.names.insert(first.clone());
        }
        let mut segments = vec![first];
        while take(tokens, &Token::Separator) {
            match take_word(tokens) {
                Some((word, _)) => segments.push(word),
                None => break,
            }
        }
        // A macro call is a `!` with a bracket behind it; `a != b` has none.
        let mut ahead = tokens.clone();
        let is_macro =
            take(&mut ahead, &Token::Mark('!')) && matches!(ahead.peek(), Some((Token::Mark('(' | '[' | '{'), _)));
        if is_macro || absolute || segments.len() > 1 {
            self.add(segments, None, absolute, line);
            if let Some(path) = self.source.paths.last_mut() {
                path.is_macro = is_macro;
            }
        }
    }

    fn module(&mut self, tokens: &mut Tokens<'_>, depth: usize) {
        if let Some((name, _)) = take_word(tokens) {
            if matches!(tokens.peek(), Some((Token::Mark('{'), _))) {
                self.open.push((name.clone(), depth));
            }
            self.source.modules.insert(name);
        }
    }

    fn read(&mut self, tokens: &mut Tokens<'_>) {
        let mut depth = 0_usize;
        let mut before = Token::Mark(';');
        let mut is_public = false;
        while let Some((token, line)) = tokens.next() {
            match token {
                Token::Mark('{') => depth += 1,
                Token::Mark('}') => {
                    depth = depth.saturating_sub(1);
                    self.open.retain(|(_, opened_at)| *opened_at < depth);
                }
                Token::Word(word) if word == "mod" => self.module(tokens, depth),
                Token::Word(word) if word == "use" => {
                    // `impl Trait + use<'a>` imports nothing.
                    if !matches!(tokens.peek(), Some((Token::Mark('<'), _))) {
                        self.import = Some(is_public);
                        self.use_tree(tokens, Vec::new(), false);
                        self.import = None;
                    }
                }
                Token::Word(word) if word == "crate" && matches!(before, Token::Word(ref word) if word == "extern") => {
                    if let Some((name, line)) = take_word(tokens) {
                        self.add(vec![name], None, true, line);
                    }
                }
                Token::Word(word) => self.path(tokens, word.clone(), before == Token::Separator, *line),
                Token::Separator if !matches!(before, Token::Mark('>')) => {}
                // `<T as Trait>::Item`: what follows belongs to the type, it is no path of its own.
                Token::Separator => while take_word(tokens).is_some() && take(tokens, &Token::Separator) {},
                Token::Mark(_) | Token::Literal => {}
            }
            is_public = match token {
                Token::Word(word) if word == "pub" => true,
                Token::Word(word) => is_public && matches!(word.as_str(), "crate" | "super" | "self" | "in"),
                Token::Mark('(' | ')') | Token::Separator => is_public,
                _ => false,
            };
            before = token.clone();
        }
    }
}

/// Reads one file.
pub(crate) fn scan(text: &str) -> Source {
    let tokens = tokens(text);
    let mut reader = Reader { source: Source::default(), open: Vec::new(), import: None };
    reader.read(&mut tokens.iter().peekable());
    reader.source
}
