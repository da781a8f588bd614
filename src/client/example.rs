/// Makes the documentation of an example, once for all clients.
///
/// The first argument is `{ async }` or `{}`, as the parameter of `reading_operations`. Text follows, with
/// the word `await` where the async clients wait. The example has a client `ipvs` and may use
/// `?`. Each client's file defines `client_path!`, the public path of its type.
macro_rules! example {
    ({} $($piece:tt)*) => {
        concat!(
            "```no_run\n# fn example(ipvs: &mut ", client_path!(),
            ") -> Result<(), Box<dyn std::error::Error>> {\n",
            $(example!(@blocking $piece)),*,
            "\n# Ok(())\n# }\n```\n",
        )
    };
    ({ async } $($piece:tt)*) => {
        concat!(
            "```no_run\n# async fn example(ipvs: &mut ", client_path!(),
            ") -> Result<(), Box<dyn std::error::Error>> {\n",
            $(example!(@async $piece)),*,
            "\n# Ok(())\n# }\n```\n",
        )
    };
    (@blocking await) => { "" };
    (@async await) => { ".await" };
    (@$face:ident $text:literal) => { $text };
}
pub(crate) use example;
