// SPDX-License-Identifier: Apache-2.0
//
// The real loader ignores mem_offset and adds up mem_size. Writers for embedded devices align
// partitions, which only mem_offset tells: it is preferred where a single model's offsets all stay
// inside the body.
#include "om/table.h"

#include <string>

#include "om/error.h"
#include "om/numbers.h"

namespace om {
namespace {

constexpr uint32_t kMaxPartitions = 8;
constexpr uint64_t kMinBody = 8;

struct Table {
  std::vector<Partition> partitions;  // back to back
  std::vector<uint64_t> mem_offsets;  // from the end of the table
  uint64_t data_begin = 0;
  uint64_t end = 0;  // behind the last partition, back to back
};

std::string table_name(size_t model) {
  return "partition table " + std::to_string(model);
}

std::string entry_name(size_t model, size_t index, const char *field) {
  return table_name(model) + " entry " + std::to_string(index) + "." + field;
}

Table read_table(View file, bool wide, uint64_t begin, size_t model) {
  const uint64_t remaining = file.size - begin;
  if (remaining <= kMinBody) {
    fail(Cause::kTable, begin, table_name(model), "more than 8 bytes", remaining);
  }
  const uint32_t count = load_u32(file.data + begin);
  if (count < 1 || count > kMaxPartitions) {
    fail(Cause::kPartitionCount, begin, table_name(model) + ".num", "1 to 8", count);
  }
  const uint64_t size = table_size(wide, count);
  if (size >= remaining) {
    fail(Cause::kTable, begin, table_name(model),
         "less than the " + std::to_string(remaining) + " bytes left", size);
  }

  Table table;
  table.data_begin = begin + size;
  table.end = table.data_begin;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t at = begin + table_size(wide, i);
    const uint8_t *entry = file.data + at;
    const uint64_t mem_offset = wide ? load_u64(entry + 8) : load_u32(entry + 4);
    const uint64_t mem_size = wide ? load_u64(entry + 16) : load_u32(entry + 8);
    if (mem_size > file.size - table.end) {
      fail(Cause::kPartition, at + (wide ? 16 : 8), entry_name(model, i, "mem_size"),
           "at most " + std::to_string(file.size - table.end) + " (the rest of the file)",
           mem_size);
    }
    table.partitions.push_back({load_u32(entry), table.end, mem_size});
    table.mem_offsets.push_back(mem_offset);
    table.end += mem_size;
  }
  return table;
}

bool is_back_to_back(const Table &table) {
  for (size_t i = 0; i < table.partitions.size(); ++i) {
    if (table.mem_offsets[i] != table.partitions[i].offset - table.data_begin) return false;
  }
  return true;
}

bool offsets_fit(const Table &table, uint64_t file_size) {
  const uint64_t body = file_size - table.data_begin;
  for (size_t i = 0; i < table.partitions.size(); ++i) {
    if (table.mem_offsets[i] > body) return false;
    if (table.partitions[i].size > body - table.mem_offsets[i]) return false;
  }
  return true;
}

}  // namespace

Tables read_tables(View file, const Header &header) {
  Tables tables;
  uint64_t position = kHeaderSize;
  for (uint32_t model = 0; model < header.model_num; ++model) {
    Table table = read_table(file, header.wide_table, position, model);
    position = table.end;
    for (const Partition &partition : table.partitions) {
      if (partition.type != partition::kWeightsData) continue;
      tables.weight_size += partition.size;
      break;
    }
    if (header.model_num == 1 && !is_back_to_back(table) && offsets_fit(table, file.size)) {
      for (size_t i = 0; i < table.partitions.size(); ++i) {
        table.partitions[i].offset = table.data_begin + table.mem_offsets[i];
      }
      position = file.size;
    }
    tables.models.push_back(std::move(table.partitions));
  }
  if (position != file.size) {
    fail(Cause::kPartition, position, "end of the last partition",
         std::to_string(file.size) + " (the end of the file)", position);
  }
  return tables;
}

}  // namespace om
