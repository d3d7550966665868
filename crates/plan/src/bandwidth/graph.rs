//! Who sends what over which link: places, the links between them, and the streams that pass.
//!
//! Inside people are at their site. People outside are at a place of their own behind the internet link of their hub, so
//! that their streams load that link, and the WAN again where the other end is at another site.

use std::collections::VecDeque;

use super::people::{self, Busy, Place};
use crate::file::{Breakout, Plan};

/// Kinds of streams with a rate of their own; `Up` is from a person, `Down` towards one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    PeerAudio,
    PeerVideo,
    MeetingAudio,
    PstnAudio,
    VideoUp,
    VideoDown,
    SharingUp,
    SharingDown,
    DataUp,
    DataDown,
    Signalling,
}

pub(super) const KINDS: usize = 11;

/// Streams: counted ones, and erlang of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Amount {
    pub counted: f64,
    pub erlang: f64,
}

/// A link and what passes it in each direction.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    /// Its ends, as places.
    pub ends: [usize; 2],
    /// Its number in the plan; none for a link that the plan does not name.
    pub link: Option<usize>,
    /// By direction, from the first end and from the second.
    pub amounts: [[Amount; KINDS]; 2],
}

/// Places and links.
pub(super) struct Graph<'p> {
    plan: &'p Plan,
    pub edges: Vec<Edge>,
    /// Links at each place.
    at: Vec<Vec<usize>>,
    places: Vec<Place>,
}

/// The way from one place to all others.
struct Tree {
    /// Places, nearest first.
    order: Vec<usize>,
    /// The link by which each is reached.
    by: Vec<Option<usize>>,
}

impl<'p> Graph<'p> {
    pub(super) fn new(plan: &'p Plan) -> Graph<'p> {
        let count = plan.sites.len();
        let places = (0..count).map(|number| people::place(plan, number)).collect();
        let mut graph = Graph { plan, edges: Vec::new(), at: vec![Vec::new(); count * 2], places };
        for (number, link) in plan.links.iter().enumerate() {
            graph.join([link.from, link.to.unwrap_or(link.from + count)], Some(number));
        }
        graph.join_what_is_apart();
        graph
    }

    /// The place of people who are outside and come in at hub `number`.
    fn outside(&self, hub: usize) -> usize {
        hub + self.plan.sites.len()
    }

    fn join(&mut self, ends: [usize; 2], link: Option<usize>) {
        self.at[ends[0]].push(self.edges.len());
        self.at[ends[1]].push(self.edges.len());
        self.edges.push(Edge { ends, link, amounts: Default::default() });
    }

    /// Links that there must be though the plan does not name them: from a branch to its hub, from a central site to
    /// the first one, from a hub to the internet.
    fn join_what_is_apart(&mut self) {
        let sites = self.plan.sites.len();
        let Some(first) = self.plan.centrals().next().map(|(number, _)| number) else { return };
        let mut reached = self.reached(first);
        for central in [true, false] {
            for number in 0..sites {
                let to = self.plan.sites[number].hub.unwrap_or(first);
                if self.plan.sites[number].hub.is_none() == central && !reached[number] && number != to {
                    self.join([number, to], None);
                    for place in self.tree(number).order {
                        reached[place] = true;
                    }
                }
            }
        }
        for hub in 0..sites {
            let people = self.plan.sites[hub].hub.is_none() && *self.plan.access.edge;
            if people && self.at[self.outside(hub)].is_empty() {
                self.join([hub, self.outside(hub)], None);
            }
        }
    }

    fn reached(&self, from: usize) -> Vec<bool> {
        let mut reached = vec![false; self.at.len()];
        self.tree(from).order.into_iter().for_each(|place| reached[place] = true);
        reached
    }

    fn tree(&self, from: usize) -> Tree {
        let mut by = vec![None; self.at.len()];
        let mut order = vec![from];
        let mut queue = VecDeque::from([from]);
        while let Some(place) = queue.pop_front() {
            for &edge in &self.at[place] {
                let ends = self.edges[edge].ends;
                let next = if ends[0] == place { ends[1] } else { ends[0] };
                if next != from && by[next].is_none() {
                    by[next] = Some(edge);
                    order.push(next);
                    queue.push_back(next);
                }
            }
        }
        Tree { order, by }
    }

    /// The other end of `edge`, seen from `place`, and the direction towards `place`.
    fn behind(&self, edge: usize, place: usize) -> (usize, usize) {
        let ends = self.edges[edge].ends;
        if ends[1] == place { (ends[0], 0) } else { (ends[1], 1) }
    }

    /// People of every place: sites first, then those outside by hub.
    fn people(&self) -> Vec<Busy> {
        let sites = self.plan.sites.len();
        let mut people: Vec<Busy> = self.places.iter().map(|place| place.inside).collect();
        people.resize(sites * 2, Busy::default());
        for (number, place) in self.places.iter().enumerate() {
            people[self.outside(self.plan.hub_of(number))].join(&place.outside);
        }
        people
    }

    /// Puts the streams of all people on the links.
    pub(super) fn fill(&mut self) {
        let people = self.people();
        let sites = self.plan.sites.len();
        let total: f64 = people.iter().map(|busy| busy.users).sum();
        for (place, busy) in people.iter().enumerate().filter(|(_, busy)| busy.calling() > 0.0) {
            let usual = if total > 0.0 { 1.0 - busy.users / total } else { 0.0 };
            let away = if place < sites { busy.away_share(usual, self.places[place].said) } else { 1.0 };
            self.call(place, busy, away, &people);
        }
        for hub in (0..sites).filter(|&number| self.plan.sites[number].hub.is_none()) {
            self.attend(hub, &people);
        }
    }

    /// Calls of the people of `place`: to colleagues everywhere else, by how many there are.
    fn call(&mut self, place: usize, busy: &Busy, away: f64, people: &[Busy]) {
        let tree = self.tree(place);
        let mut weight: Vec<f64> = people.iter().map(|busy| busy.users).collect();
        let all: f64 = tree.order[1..].iter().map(|&other| weight[other]).sum();
        if all <= 0.0 {
            return;
        }
        for &other in tree.order[1..].iter().rev() {
            let Some(edge) = tree.by[other] else { continue };
            let (nearer, direction) = self.behind(edge, other);
            let share = away * weight[other] / all;
            let amounts = &mut self.edges[edge].amounts[direction];
            amounts[Kind::PeerAudio as usize].counted += (busy.peer_audio + busy.peer_video) * share;
            amounts[Kind::PeerAudio as usize].erlang += busy.peer_erlang * share;
            amounts[Kind::PeerVideo as usize].counted += busy.peer_video * share;
            weight[nearer] += weight[other];
        }
    }

    /// What the people of `hub` and of its branches exchange with its servers and its gateway.
    fn attend(&mut self, hub: usize, people: &[Busy]) {
        let tree = self.tree(hub);
        let sites = self.plan.sites.len();
        let mut sum: Vec<[[Amount; KINDS]; 2]> = vec![Default::default(); people.len()];
        for (place, busy) in people.iter().enumerate() {
            let ours = if place < sites { self.plan.hub_of(place) == hub } else { place == self.outside(hub) };
            if ours && place != hub {
                let local = place < sites && *self.plan.sites[place].pstn == Breakout::Local;
                sum[place] = self.served(busy, local);
            }
        }
        for &place in tree.order[1..].iter().rev() {
            let Some(edge) = tree.by[place] else { continue };
            let (nearer, down) = self.behind(edge, place);
            let here = sum[place];
            add(&mut self.edges[edge].amounts[1 - down], &here[0]);
            add(&mut self.edges[edge].amounts[down], &here[1]);
            add(&mut sum[nearer][0], &here[0]);
            add(&mut sum[nearer][1], &here[1]);
        }
    }

    /// What `busy` people send to their servers, and what they get.
    fn served(&self, busy: &Busy, local: bool) -> [[Amount; KINDS]; 2] {
        let mut both = [[Amount::default(); KINDS]; 2];
        let counted = |counted: f64| Amount { counted, erlang: 0.0 };
        let size = *self.plan.meetings.size;
        for (direction, amounts) in both.iter_mut().enumerate() {
            amounts[Kind::MeetingAudio as usize] = counted(busy.meeting_audio);
            amounts[Kind::Signalling as usize] = counted(busy.users * self.plan.endpoints_per_user());
            if !local {
                amounts[Kind::PstnAudio as usize] = Amount { counted: busy.pstn_audio, erlang: busy.pstn_erlang };
            }
            // One shows, all others see: of a meeting of n people one stream goes up and n - 1 come down.
            let (video, sharing, data, share) = match direction {
                0 => (Kind::VideoUp, Kind::SharingUp, Kind::DataUp, 1.0 / size),
                _ => (Kind::VideoDown, Kind::SharingDown, Kind::DataDown, 1.0 - 1.0 / size),
            };
            amounts[video as usize] = counted(busy.meeting_video);
            amounts[sharing as usize] = counted(busy.sharing * share);
            amounts[data as usize] = counted(busy.data * share);
        }
        both
    }
}

fn add(to: &mut [Amount; KINDS], from: &[Amount; KINDS]) {
    for (to, from) in to.iter_mut().zip(from) {
        to.counted += from.counted;
        to.erlang += from.erlang;
    }
}
