"""A small OPT with random weights and a tokenizer made on the spot, in the folder given:
nothing is downloaded, and its words mean nothing."""
import sys

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import OPTConfig, OPTForCausalLM, PreTrainedTokenizerFast

LAYERS, HIDDEN, HEADS = 4, 256, 8

blank = "\u0120"  # what byte-level tokenizers write for a blank
letters = "abcdefghijklmnopqrstuvwxyz"
merges = [(a, b) for a in letters for b in letters] + [(blank, a) for a in letters]
tokens = ["<pad>", "<s>", "</s>", "<unk>", blank, *map(chr, range(33, 127)), *(a + b for a, b in merges)]
vocabulary = {token: i for i, token in enumerate(tokens)}

tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>",
                               bos_token="<s>", eos_token="</s>")
fast.chat_template = "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} {% endfor %}assistant"
fast.save_pretrained(sys.argv[1])

torch.manual_seed(0)
model = OPTForCausalLM(OPTConfig(
    vocab_size=len(vocabulary), hidden_size=HIDDEN, ffn_dim=4 * HIDDEN, num_hidden_layers=LAYERS,
    num_attention_heads=HEADS, max_position_embeddings=2048, word_embed_proj_dim=HIDDEN,
    pad_token_id=0, bos_token_id=1, eos_token_id=2))
model.save_pretrained(sys.argv[1])
print(f"model: OPT, {LAYERS} layers, {HIDDEN} wide, {sum(p.numel() for p in model.parameters()):,} random weights")
