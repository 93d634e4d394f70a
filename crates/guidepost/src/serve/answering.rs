//! What the library answers: the same for the page, for programs and for agents. Nothing here knows of HTTP.

use std::sync::Arc;
use std::time::Instant;

use guidepost_query::{MIN_ANSWER_CONFIDENCE, find_roles};

use super::failure::{Failure, Kind};
use super::library::{Desk, Shelf};
use super::map::MapView;
use super::parameters::{CompareParameters, GetParameters, ResourceParameters, SearchParameters};
use crate::guide_text;
use crate::output::{
    ComparisonView, DocumentsView, GuideView, ResourcesView, Results, RolesView, SCHEMA_VERSION, StatusView,
    place_of,
};
use crate::search::{ANSWER_HITS, Below, MIN_SEARCH_CONFIDENCE, RESOURCE_LIMIT, ResourceWish, Searched};

/// How far an answer is.
pub(super) enum Progress<'a> {
    Searching,
    /// The passages are found; the answer is still to come.
    Found(&'a Results),
    /// Statements are held against their guides.
    Checking,
}

impl Desk {
    pub(super) fn search(&self, parameters: SearchParameters) -> Result<Results, Failure> {
        let (_, searched) = self.searched(parameters, MIN_SEARCH_CONFIDENCE, Below::Drop, || ())?;
        Ok(Results::new("search", &searched))
    }

    /// `tell` hears how far it is.
    pub(super) fn ask(
        &self,
        parameters: SearchParameters,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Results, Failure> {
        let (shelf, searched) =
            self.searched(parameters, MIN_ANSWER_CONFIDENCE, Below::Keep { at_least: ANSWER_HITS }, || {
                tell(Progress::Searching)
            })?;
        let results = Results::new("ask", &searched);
        tell(Progress::Found(&results));
        tell(Progress::Checking);
        let started = Instant::now();
        let (answer, left_out) = searched.answer(&self.library.shipped);
        left_out.iter().for_each(|why| self.library.console.warn(why));
        let results = searched.complete(results, answer, left_out, || Ok(shelf.catalog.as_slice().into()))?;
        self.library.metrics.stage("answer", started.elapsed());
        Ok(results)
    }

    pub(super) fn searched(
        &self,
        parameters: SearchParameters,
        default_confidence: f32,
        below: Below,
        understood: impl FnOnce(),
    ) -> Result<(Arc<Shelf>, Searched), Failure> {
        let shelf = self.library.shelf();
        let wish = parameters.wish(&self.library, &shelf, default_confidence, below)?;
        understood();
        let started = Instant::now();
        let searched = Searched::run(Arc::clone(&shelf.snapshot), self.models(), wish)?;
        self.library.metrics.stage("search", started.elapsed());
        for (stage, took) in searched.times() {
            self.library.metrics.stage(stage, took);
        }
        Ok((shelf, searched))
    }

    pub(super) fn resources(&self, parameters: &ResourceParameters) -> Result<ResourcesView, Failure> {
        let shelf = self.library.shelf();
        let wish = ResourceWish {
            query: &parameters.q,
            kinds: parameters.kind.clone(),
            serves: parameters.serves.as_deref(),
            limit: parameters.limit()?.unwrap_or(RESOURCE_LIMIT),
            weights: shelf.weights,
        };
        Ok(wish.run(&shelf.snapshot, self.models(), &shelf.catalog)?)
    }

    pub(super) fn roles(&self) -> RolesView {
        let shelf = self.library.shelf();
        RolesView::new(&shelf.roles, &shelf.catalog, &shelf.snapshot)
    }

    pub(super) fn compare(&self, parameters: &CompareParameters) -> Result<ComparisonView, Failure> {
        let shelf = self.library.shelf();
        let find = |wanted: &str| {
            let unknown = || Failure::new(Kind::NotFound, format!("no guide here is about `{wanted}`"));
            find_roles(&shelf.roles, wanted).first().copied().ok_or_else(unknown)
        };
        let (first, second) = (find(&parameters.first)?, find(&parameters.second)?);
        if first == second {
            let both =
                format!("`{}` and `{}` are both {} here", parameters.first, parameters.second, first.name);
            return Err(Failure::new(Kind::Validation, both));
        }
        Ok(ComparisonView::new([first, second], &shelf.catalog, &shelf.snapshot, &self.library.shipped)?)
    }

    pub(super) fn documents(&self) -> DocumentsView {
        let shelf = self.library.shelf();
        DocumentsView::new(&shelf.snapshot, &shelf.roles)
    }

    /// Guides go by their citations alone: no path on disk names one.
    pub(super) fn get(&self, parameters: &GetParameters) -> Result<GuideView, Failure> {
        let shelf = self.library.shelf();
        let snapshot = &shelf.snapshot;
        let find = |name: &str| {
            let document = guide_text::named(name, snapshot);
            document.map(|document| guide_text::read(snapshot, document, &self.library.shipped)).transpose()
        };
        let quoted = guide_text::quote(&parameters.citation, &find)?;
        let gone = || Failure::new(Kind::NotFound, format!("no guide `{}`", quoted.name));
        let document = guide_text::named(&quoted.name, snapshot).ok_or_else(gone)?;
        Ok(GuideView {
            schema_version: SCHEMA_VERSION,
            command: "get",
            title: document.metadata.title.clone(),
            place: place_of(document, quoted.lines, &[]).lines(),
            lines: quoted.count,
            text: quoted.text,
        })
    }

    pub(super) fn map(&self) -> Result<Arc<MapView>, Failure> {
        Ok(self.library.shelf().map()?)
    }

    pub(super) fn status(&self) -> Result<StatusView, Failure> {
        let shelf = self.library.shelf();
        Ok(StatusView::new(&self.library.index, Some(&shelf.snapshot), &self.library.shipped)?)
    }
}
