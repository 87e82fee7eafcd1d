//! The rows of a class table, in any of its forms.

use std::collections::BTreeSet;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::class_table::Class;
use crate::error::MaskError;
use crate::label::LabelId;

/// A column that the reader looks for, under the names that it has been given.
struct Column {
    what: &'static str,
    names: &'static [&'static str],
}

const ID: Column = Column { what: "id", names: &["id", "class_id"] };
const NAME: Column = Column { what: "name", names: &["name", "field_name", "class_name"] };
const OTHER_NAME: Column = Column { what: "docs_name", names: &["docs_name"] };
const LONG_NAME: Column = Column { what: "long_name", names: &["long_name"] };
const CONSTITUENTS: Column = Column {
    what: "constituents",
    names: &["constituent_ids", "ids included", "ids_included", "constituents", "ids"],
};

/// The longest cell that is read, in bytes: names and short lists of ids stand in them, and messages show them.
const MAX_CELL: usize = 4096;

/// Where the columns are.
struct Layout {
    id: usize,
    name: usize,
    other_name: Option<usize>,
    long_name: Option<usize>,
    constituents: usize,
    columns: usize,
}

/// The classes of a table, each with the line that it stands on.
pub(super) fn rows(text: &str) -> Result<Vec<(u64, Class)>, MaskError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let mut layout: Option<Layout> = None;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map(csv::Position::line);
            malformed(line, None, error.to_string())
        })?;
        let line = record.position().map_or(0, |position| line_of(text, position));
        if let Some(cell) = record.iter().find(|cell| cell.len() > MAX_CELL) {
            let reason = format!("a cell has {} bytes, at most {MAX_CELL} are read", cell.len());
            return Err(malformed(Some(line), None, reason));
        }
        if record.iter().all(str::is_empty) {
            continue;
        }
        match &layout {
            Some(layout) => rows.push((line, row(&record, layout, line)?)),
            None => match header(&record, line)? {
                Some(named) => layout = Some(named),
                None => {
                    let positions = Layout::by_position();
                    rows.push((line, row(&record, &positions, line)?));
                    layout = Some(positions);
                }
            },
        }
    }
    if rows.is_empty() {
        return Err(malformed(None, None, "there is no class in it".to_owned()));
    }
    Ok(rows)
}

/// The line of a record, from 1.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    // The position is where the record before it ended: empty lines between are not counted yet.
    let begin = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(begin..).unwrap_or_default();
    let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + empty.filter(|byte| **byte == b'\n').count() as u64
}

impl Layout {
    fn by_position() -> Self {
        Self { name: 0, id: 1, constituents: 2, other_name: None, long_name: None, columns: 3 }
    }
}

/// The separator of the columns: some programs write semicolons or tabs.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    *b",\t;".iter().find(|separator| first.as_bytes().contains(separator)).unwrap_or(&b',')
}

/// The layout that the first line names; none if it is a class itself.
fn header(record: &StringRecord, line: u64) -> Result<Option<Layout>, MaskError> {
    let find = |column: &Column| {
        let is_name = |cell: &str| column.names.iter().any(|name| cell.eq_ignore_ascii_case(name));
        record.iter().position(is_name)
    };
    let (id, name, constituents) = (find(&ID), find(&NAME), find(&CONSTITUENTS));
    if id.is_none() && record.get(1).is_some_and(|cell| parse_id(cell).is_some()) {
        return Ok(None);
    }
    for column in [&ID, &NAME, &OTHER_NAME, &LONG_NAME, &CONSTITUENTS] {
        let is_name = |cell: &&str| column.names.iter().any(|name| cell.eq_ignore_ascii_case(name));
        // Two are enough to see what is wrong, of however many there are.
        let cells: Vec<&str> = record.iter().filter(is_name).take(2).collect();
        if cells.len() > 1 {
            let reason = format!("more than one column says it: {}", cells.join(", "));
            return Err(malformed(Some(line), Some(column.what), reason));
        }
    }
    let need = |found: Option<usize>, column: &Column| {
        found.ok_or_else(|| {
            // Whatever the file is, the message stays short.
            let cells = record.iter().take(10).map(|cell| cell.chars().take(20).collect());
            let cells: Vec<String> = cells.collect();
            let reason = format!(
                "no column is called {}; the first line is {cells:?} (without names, the columns are \
                 name, id and constituents)",
                column.names.join(" or ")
            );
            malformed(Some(line), Some(column.what), reason)
        })
    };
    Ok(Some(Layout {
        id: need(id, &ID)?,
        name: need(name, &NAME)?,
        constituents: need(constituents, &CONSTITUENTS)?,
        other_name: find(&OTHER_NAME),
        long_name: find(&LONG_NAME),
        columns: record.len(),
    }))
}

fn row(record: &StringRecord, layout: &Layout, line: u64) -> Result<Class, MaskError> {
    if record.len() > layout.columns {
        let (found, columns) = (record.len(), layout.columns);
        let reason =
            format!("{found} columns, expected {columns}; a list of ids with commas needs quotes");
        return Err(malformed(Some(line), None, reason));
    }
    let cell = |index: usize| record.get(index).unwrap_or_default();
    let id = cell(layout.id);
    let id = parse_id(id)
        .ok_or_else(|| malformed(Some(line), Some(ID.what), format!("{id:?} is no label id")))?;
    let name = cell(layout.name);
    if name.is_empty() {
        return Err(malformed(Some(line), Some(NAME.what), "the name is empty".to_owned()));
    }
    let optional =
        |index: Option<usize>| index.map(cell).filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(Class {
        id,
        name: name.to_owned(),
        other_name: optional(layout.other_name).filter(|other| other != name),
        long_name: optional(layout.long_name),
        constituent_ids: constituents(cell(layout.constituents), line)?,
    })
}

/// `20 21`, `20,21`, `20-21`, `[20, 21]`, `20;21`
fn constituents(text: &str, line: u64) -> Result<Vec<LabelId>, MaskError> {
    let is_separator =
        |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '-' | '[' | ']' | '(' | ')' | '"');
    let (mut ids, mut seen) = (Vec::new(), BTreeSet::new());
    for part in text.split(is_separator).filter(|part| !part.is_empty()) {
        let id = parse_id(part).ok_or_else(|| {
            let reason = format!("{part:?} in {text:?} is no label id");
            malformed(Some(line), Some(CONSTITUENTS.what), reason)
        })?;
        if seen.insert(id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn parse_id(text: &str) -> Option<LabelId> {
    text.parse::<u64>().ok().map(LabelId::from)
}

fn malformed(line: Option<u64>, column: Option<&str>, reason: String) -> MaskError {
    MaskError::ClassTableMalformed { line, column: column.map(str::to_owned), reason }
}
