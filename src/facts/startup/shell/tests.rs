//! Tests of the shell reader.

use proptest::prelude::*;

use super::*;

/// Items as text: commands with their words, `?` behind a cut word, `@` for arguments; compounds with the names of their commands.
fn shown(text: &str) -> Vec<String> {
    let word = |word: &Word| match word.form {
        Form::Whole => String::from_utf8_lossy(&word.text).into_owned(),
        Form::Cut => String::from_utf8_lossy(&word.text).into_owned() + "?",
        Form::Arguments => "@".to_owned(),
    };
    let link = |link: Link| match link {
        Link::Sequence => "",
        Link::And => " &&",
        Link::Or => " ||",
        Link::Pipe => " |",
        Link::Background => " &",
    };
    let names = |names: &std::collections::BTreeSet<Vec<u8>>| {
        names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>().join(" ")
    };
    let reading = read(text.as_bytes(), None);
    let items = reading.items.iter().map(|item| match &item.kind {
        Kind::Command(command) => {
            let words: Vec<_> = command.assignments.iter().chain(&command.words).map(word).collect();
            words.join(" ") + link(item.after)
        }
        Kind::Opaque(opaque) => format!("({}){}", names(&opaque.names), link(item.after)),
    });
    let functions =
        reading.functions.iter().map(|(name, body)| format!("{}() ({})", String::from_utf8_lossy(name), names(&body.names)));
    let incomplete = (!reading.is_complete).then(|| "INCOMPLETE".to_owned());
    items.chain(functions).chain(incomplete).collect()
}

#[test]
fn commands_of_a_straight_line_are_read_with_their_links() {
    assert_eq!(
        shown("set -e\n# a comment\nA=1 B=\"x y\" run -x 'a b' c\\ d; exec \"$@\""),
        ["set -e", "A=1 B=x y run -x a b c d", "exec @"]
    );
    assert_eq!(shown("a && b || c | d &\ne"), ["a &&", "b ||", "c |", "d &", "e"]);
    assert_eq!(shown("a &&\n\n b |\n c"), ["a &&", "b |", "c"]);
    assert_eq!(shown("a \\\n b"), ["a b"]);
    assert_eq!(shown("a\r\nb\r\n"), ["a", "b"]);
    assert_eq!(shown(""), [] as [&str; 0]);
}

#[test]
fn words_are_cut_where_something_is_expanded() {
    assert_eq!(shown("exec $APP \"${X:-a b}\" pre$(cmd \"a)b\" $(c))post `d e` *.txt ~/x"), ["exec ? ? pre? ? ? ?"]);
    assert_eq!(shown("x $@ \"$@\" ${1+\"$@\"} \"$*\" \"$1\""), ["x @ @ @ ? ?"]);
    assert_eq!(shown("echo \"a\\\"b\" '$X' \\$X $ a{b,c} {}"), ["echo a\"b $X $X $ a{b? {}"]);
    assert_eq!(shown("a $'x\\'y' z"), ["a ? z"]);
}

#[test]
fn redirections_and_here_documents_are_no_words() {
    assert_eq!(shown("a >/dev/null 2>&1 <in b &>log c 3>&-"), ["a b c"]);
    assert_eq!(shown("cat <<EOF > x\nexec nothing\nEOF\nb <<-'E' | c\n\tif\n\tE\nd <<< word"), ["cat", "b |", "c", "d"]);
    assert_eq!(shown("exec 2>&1 > log\nb <(c d) e"), ["exec", "b ? e"]);
    assert_eq!(shown("cat <<EOF\nno end"), ["cat", "INCOMPLETE"]);
}

#[test]
fn compounds_are_one_item_with_the_names_of_their_commands() {
    assert_eq!(shown("if [ -x a ]; then b c; elif d; then exec e; else f; fi; g"), ["([ b d exec f)", "g"]);
    assert_eq!(shown("for x in a b; do c $x || d; done\nwhile read l; do e; done < f\ng"), ["(c d)", "(e read)", "g"]);
    assert_eq!(
        shown("case \"$1\" in\n a|b) c ;;\n (d) if e; then f; fi;;\n *) PATH=/x exec g;;\nesac\nh"),
        ["(PATH= c e exec f)", "h"]
    );
    assert_eq!(shown("{ a; b; } && (c; d) || [[ e && f =~ ^(g)$ ]]\nh"), ["(a b) &&", "(c d) ||", "()", "h"]);
    assert_eq!(shown("$X\nif $Y; then a; fi"), ["?", "(a)"]);
    assert_eq!(shown("! a && b"), ["()", "a &&", "b"]);
    assert_eq!(shown("a=(b c)\nd"), ["()", "d"]);
}

#[test]
fn functions_are_set_apart() {
    assert_eq!(
        shown("f() {\n a; { b; }\n}\nfunction g { c; }\nfunction h() { d; }\nf"),
        ["f", "f() (a b)", "g() (c)", "h() (d)"]
    );
}

#[test]
fn what_is_not_understood_is_said_to_be() {
    for text in ["a 'b", "a \"b", "if a; then b", "a; fi", "f() a", "a $(b", ")", "case x in a) b ;;", "a ;; b", "x (y)"] {
        assert_eq!(shown(text).last().map(String::as_str), Some("INCOMPLETE"), "{text}");
    }
}

#[test]
fn assignments_are_told_by_an_unquoted_name() {
    let of = |text: &str| {
        let reading = read(text.as_bytes(), None);
        match &reading.items[0].kind {
            Kind::Command(command) => command.assignments.len(),
            Kind::Opaque(_) => 0,
        }
    };
    assert_eq!((of("A=b"), of("A_1=\"x y\" c"), of("A+=b"), of("A=$B")), (1, 1, 1, 1));
    assert_eq!((of("1A=b"), of("'A'=b"), of("A-B=c"), of("=b"), of("x A=b")), (0, 0, 0, 0, 0));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_end(text: Vec<u8>) {
        read(&text, None);
    }

    #[test]
    fn texts_like_scripts_never_panic_and_end(
        parts in proptest::collection::vec("if |then |fi\n|do |done|case x in |esac|;;|\\(|\\)|\\{ |\\} |\\$\\(|`|\"|'|<<E\n|E\n|&& |\\|\\| |\\| |& |f\\(\\) |exec |\"\\$@\" |a |\\[\\[ |\\]\\] |\\\\|#|\n", 0..40),
    ) {
        read(parts.concat().as_bytes(), None);
    }

    #[test]
    fn plain_words_are_read_as_they_are(words in proptest::collection::vec("[a-z/.:%+-]{1,8}", 1..6)) {
        let is_reserved = |word: &String| ["if", "fi", "do", "in", "for", "time", "case", "esac", "done", "then", "else", "elif", "while", "until", "select"].contains(&word.as_str());
        prop_assume!(!words.iter().any(is_reserved));
        prop_assert_eq!(shown(&words.join(" ")), [words.join(" ")]);
    }
}
