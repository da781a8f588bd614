/// The format of a table file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Yaml,
    Toml,
    Json,
    #[allow(dead_code, reason = "this format has no labels")]
    Ipvsadm,
}
