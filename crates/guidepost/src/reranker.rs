//! The cross-encoder that a command shall use, if any.

use anyhow::bail;
use guidepost_model::{
    CrossEncoder, LocatedModel, ModelChoice, Places, Precision, any_reranker, locate_reranker,
};
use guidepost_text::Rerank;

use crate::console::Console;
use crate::engine::Engine;
use crate::places;

const OFF: &str = "off";
const AUTO: &str = "auto";

/// Loads the one that was asked for; `None` where none was. Fetches nothing.
///
/// One that is named and is not here is an error, never a search without it: who names it wants its order.
pub(crate) fn load(
    choice: Option<&str>,
    engine: &Engine,
    console: &Console,
) -> anyhow::Result<Option<Box<dyn Rerank>>> {
    let Some(choice) = choice.filter(|choice| *choice != OFF) else { return Ok(None) };
    let places = places::models()?;
    let model = match choice {
        AUTO => any_reranker(&places)?,
        named => Some(named_model(named, &places)?),
    };
    let Some(model) = model else {
        console.detail(|| "reranker: none is on this machine".to_owned());
        return Ok(None);
    };
    console.note_trust(&model);
    let reranker = CrossEncoder::load(&model, &engine.execution(Precision::Fast)?)?;
    console.detail(|| {
        format!("reranker: {} in `{}`, {}", model.name, model.folder.display(), reranker.description())
    });
    Ok(Some(Box::new(reranker)))
}

fn named_model(name: &str, places: &Places) -> anyhow::Result<LocatedModel> {
    match locate_reranker(&ModelChoice::parse(name), places)? {
        Some(model) => Ok(model),
        None => bail!(
            "the reranker `{name}` is not on this machine; fetch it with `guidepost models pull {name}`, or search without: --rerank off"
        ),
    }
}
